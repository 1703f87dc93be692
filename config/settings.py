"""Settings of one installation, read from the environment with the prefix `WOODPECKER_`."""

from __future__ import annotations

import os
import secrets
import ssl
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "WOODPECKER_"
FOLDER_BROKER = "folder://localhost//"
"""Broker URL of embedded mode: messages are files in the data folder."""
ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Every setting has a default that suits embedded mode: one machine, no server to install."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    data_dir: Path = Field(Path("var"), description="Folder for everything that this installation writes.")
    database_url: SecretStr = Field(
        SecretStr(""), description="postgresql://user:password@host/name; empty: SQLite in the data folder."
    )
    broker_url: SecretStr = Field(
        SecretStr(""), description="redis://… or amqp://…; empty: a folder in the data folder."
    )
    elasticsearch_url: SecretStr = Field(
        SecretStr(""),
        description="http(s)://user:password@host:port, of several nodes separated by commas; empty: search in the "
        "database.",
    )
    elasticsearch_ca: Path | None = Field(
        None,
        description="File with the certificates (PEM) of the authority that signed those of Elasticsearch, where it is "
        "one of your own; empty: the public ones.",
    )
    search_index: str = Field("woodpecker-cases", pattern=r"^[a-z][a-z0-9-]{2,60}$", description="Alias of the index.")
    search_analyzer: str = Field(
        "", description="Analyzer for Chinese full text in Elasticsearch (ik_max_word, smartcn); empty: our bigrams."
    )
    http_host: str = Field("127.0.0.1", description="Address that the pages listen on.")
    http_port: int = Field(8000, ge=0, le=65535, description="Port that the pages listen on; 0 takes a free one.")
    public_url: str = Field("", description="Address under which people reach the pages; empty: host and port.")
    support_contact: str = Field(
        "", max_length=100, description="Whom volunteers ask for help, shown on their pages, e.g. a name and a number."
    )
    secret_key: SecretStr = Field(
        SecretStr(""), description="Key for sessions and keyed hashes; empty: made at first start, embedded mode only."
    )
    former_secret_keys: SecretStr = Field(
        SecretStr(""),
        description="Secret keys of before, several separated by commas, newest first: sessions of theirs go on, and "
        "copies still find the cases of their time.",
    )
    redaction_key: SecretStr = Field(
        SecretStr(""),
        description="Key for the keyed hashes of contact codes, by which repeats are found; empty: the secret key.",
    )
    evidence_key: SecretStr = Field(
        SecretStr(""),
        description="Key that seals stored responses (`woodpecker evidence key` makes one), several separated by "
        "commas: the first seals, all open; empty: of a response only metadata and digest are kept.",
    )
    crawler_contact: str = Field(
        "",
        max_length=200,
        pattern=r"^[\x21-\x7e]*$",
        description="Page or mail address in the user agent, by which a site's operator reaches you; needed for "
        "every site outside your own network.",
    )
    policy_dir: Path | None = Field(
        None,
        description="Folder with sites/ (and classes/, presets/, rules/) of this installation, read before ours.",
    )
    model_dir: Path | None = Field(None, description="Folder of the model that assesses; empty: the shipped one.")
    reassess: bool = Field(
        True, description="Assess again what is open, at low priority, when a worker starts with another model."
    )
    work_concurrency: int = Field(2, ge=1, le=64, description="Processes of one `woodpecker work`.")
    work_memory_mb: int = Field(
        1024,
        ge=0,
        le=1_000_000,
        description="Megabytes that a batch may add to what a process of `woodpecker work` begins with; a text that "
        "needs more is set aside. 0: no limit.",
    )
    work_replace_mb: int = Field(
        600,
        ge=100,
        le=1_000_000,
        description="Megabytes after which a process of `woodpecker work` is replaced, once its task is done; more "
        "than your model needs.",
    )
    batch_size: int = Field(1000, ge=1, le=2000, description="Captures in one inbox batch.")
    inbox_limit: int = Field(
        200_000, ge=1, le=100_000_000, description="Captures in the inbox from which crawls slow down."
    )
    sweep_seconds: int = Field(15, ge=1, le=3600, description="Seconds between sweeps that finish what was left.")
    lost_seconds: int = Field(60, ge=1, le=86_400, description="Age at which a sent batch's task counts as lost.")
    dead_letters_max: int = Field(
        10_000, ge=1, le=10_000_000, description="Captures set aside because they could not be assessed, at most."
    )
    audit_rate: float = Field(0.01, ge=0, le=1, description="Share of below-threshold captures sent to humans.")
    anchor_dir: Path | None = Field(
        None,
        description="Folder for the daily anchors of the audit log, best where this installation's administrators "
        "cannot change them; empty: anchors/ in the data folder.",
    )
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="Bearer token that opens /metrics to other machines; empty: it answers on loopback alone.",
    )
    work_metrics_port: int = Field(
        0, ge=0, le=65535, description="Port on which `woodpecker work` shows its timings at HTTP_HOST; 0: none."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level that is logged.")

    @field_validator("elasticsearch_url")
    @classmethod
    def _http(cls, value: SecretStr) -> SecretStr:
        given = value.get_secret_value()
        for address in given.split(",") if given else ():
            if not address.strip().startswith(("http://", "https://")):
                raise ValueError("must start with http:// or https://, each address of a list too")
        return value

    @field_validator("elasticsearch_ca", mode="before")
    @classmethod
    def _none_when_empty(cls, value: object) -> object:
        return value or None

    @field_validator("elasticsearch_ca")
    @classmethod
    def _certificates(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None:
            if "http://" in info.data.get("elasticsearch_url", SecretStr("")).get_secret_value():
                raise ValueError("needs https:// in each address of WOODPECKER_ELASTICSEARCH_URL")
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(value)
            except OSError as error:
                reason = error.strerror if not isinstance(error, ssl.SSLError) else "no certificate in PEM form in it"
                raise ValueError(f"must be a file of certificates in PEM form ({reason})") from error
        return value

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must start with postgresql://")
        return value

    @property
    def own_rules(self) -> Path | None:
        """Folder of this installation's own word rules, where there is one."""
        folder = self.policy_dir / "rules" if self.policy_dir else None
        return folder if folder is not None and folder.is_dir() else None

    @property
    def mode(self) -> Literal["embedded", "services"]:
        """`services` as soon as a database server is named."""
        return "services" if self.database_url.get_secret_value() else "embedded"

    def path(self, *parts: str) -> Path:
        """Return an absolute path below the data folder; the folder above it is made when missing."""
        path = self.data_dir.expanduser().resolve().joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def effective_broker_url(self) -> str:
        """Return the broker to connect to."""
        return self.broker_url.get_secret_value() or FOLDER_BROKER

    def effective_secret_key(self) -> str:
        """Return the secret key; in embedded mode it is made once and kept in the data folder with mode 600.

        Raises:
            MissingSecretKey: services mode and none given, since several machines must share one.
        """
        given = self.secret_key.get_secret_value()
        if given:
            return given
        if self.mode == "services":
            raise MissingSecretKey(
                f"{PREFIX}SECRET_KEY is required when {PREFIX}DATABASE_URL is set; "
                "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"
            )
        return _kept_secret(self.path("secret_key"))

    def former_keys(self) -> list[str]:
        """Return the secret keys of before, newest first."""
        return [key for key in map(str.strip, self.former_secret_keys.get_secret_value().split(",")) if key]

    def effective_redaction_key(self) -> bytes:
        """Return the key of the keyed hashes of contact codes.

        Raises:
            MissingSecretKey: as `effective_secret_key`, where it stands in.
        """
        return (self.redaction_key.get_secret_value() or self.effective_secret_key()).encode()


class MissingSecretKey(Exception):
    """Services mode was started without a secret key."""


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return the settings of this process, read once."""
    return Settings()


def _kept_secret(path: Path) -> str:
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(50))
        try:
            os.link(fresh, path)  # whoever links first wins; nobody ever reads a half-written key
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text("ascii")
