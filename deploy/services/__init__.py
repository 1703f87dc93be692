"""Real PostgreSQL, Redis and Elasticsearch on loopback, for development and tests. Not for production.

`python -m deploy.services up` starts them and prints three `export` lines; `down` stops them and throws their data
away. Each run has fresh data and fresh passwords. `--nodes 3` starts a cluster of Elasticsearch, `--broker rabbitmq`
RabbitMQ in the place of Redis.
"""
