"""The liaison's pages: takedown lists from confirmed cases."""
