"""What the OpenAPI document must be told, where the framework's reading of our structs is not what goes over the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from litestar.openapi.spec import OpenAPIType, Schema
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

if TYPE_CHECKING:
    from litestar._openapi.schema_generation import SchemaCreator


class ArraysAsArrays(OpenAPISchemaPlugin):
    """A struct that is sent as an array (`array_like`) is an array in the document: its fields in their order."""

    @staticmethod
    def is_plugin_supported_type(value: Any) -> bool:
        return isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__struct_config__.array_like

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: SchemaCreator) -> Schema:
        """The fields as `prefixItems`; those without a default must be there."""
        struct = field_definition.annotation
        fields = msgspec.structs.fields(struct)
        return Schema(
            type=OpenAPIType.ARRAY,
            title=struct.__name__,
            description=" · ".join(field.name for field in fields),
            prefix_items=[
                schema_creator.for_field_definition(FieldDefinition.from_annotation(field.type, name=field.name))
                for field in fields
            ],
            min_items=sum(field.required for field in fields),
            max_items=len(fields),
        )
