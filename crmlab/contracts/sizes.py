"""How much memory the embedded engine may hold, as it is stated: "1GB", "800MB"."""

from typing import Annotated, TypeAlias

from pydantic import ByteSize, Field

LEAST = 256_000_000  # bytes; below it DuckDB runs out of memory where it groups many customers
WRITE_MEMORY = f"a size such as '1GB' or '800MB', {LEAST // 10**6}MB or more"
Memory: TypeAlias = Annotated[ByteSize, Field(ge=LEAST)]
