"""The base of every options model."""

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """Base of every options model: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
