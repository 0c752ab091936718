"""What the API promises its callers: the material of the OpenAPI document, and the document itself."""
