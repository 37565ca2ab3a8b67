"""The description of the API for machines: OpenAPI, AsyncAPI and TypeScript types."""
