"""How a backbone is fine-tuned."""

from typing import Literal

from pydantic import Field, model_validator

from autoqa.options import Options

Precision = Literal["auto", "fp32", "bf16", "fp16"]
"""What a model is trained in; ``auto`` takes bf16 where the device computes in it, else fp32."""

AdapterModules = Literal["all", "attention"]
"""Which linear layers of an encoder get adapters."""


class TrainingProtocol(Options):
    """How a backbone wants to be fine-tuned; each value can be overridden in the study file.

    Attributes:
        learning_rate: Peak learning rate of the encoder, and centre of the search's prior.
        epochs: Passes over the recipe.
        batch_size: Windows that one optimizer step sees (the effective batch).
        warmup_ratio: Share of the steps with a rising learning rate; linear decay follows.
        weight_decay: Decoupled weight decay; biases and norms are exempt.
        length: Tokens in a window; also the length that evaluation windows have.
        stride: Tokens shared by neighbouring windows; also that of evaluation windows.
        head_multiplier: Learning rate of the answer head relative to the encoder's.
        layer_decay: Factor on the learning rate per layer from the top; 1 switches it off.
        freeze_embeddings: Leave the embedding tables as they were pretrained.
        frozen_layers: How many of the lowest encoder layers are left as they were.
        cache_frozen: Compute what the frozen layers give once per window and keep it on disk for
            all runs; needs ``freeze_embeddings`` and ``frozen_layers``.
        dropout: Hidden and attention dropout while fine-tuning; left out, the model's own.
        precision: ``auto`` takes bf16 where the device computes in it, else fp32.
        max_grad_norm: Gradient clipping threshold (Euclidean norm).
        micro_tokens: Most tokens in one forward pass while training; larger effective batches are
            accumulated, at equal gradients. Left out, the device decides.
        gradient_checkpointing: Compute each layer's activations again in the backward pass instead
            of keeping them: less memory, about a third more time, equal gradients.
        compile: Train through ``torch.compile``; where it fails, uncompiled, and a note says so.
        adapter_rank: Above 0, the encoder stays as it was and adapters of this rank beside its
            linear layers learn in its place (LoRA, Hu et al. 2021, arXiv:2106.09685), with the
            answer head. What is stored has them added to the weights.
        adapter_alpha: What adapters add is multiplied by ``adapter_alpha / adapter_rank``; left
            out, it is twice the rank (Biderman et al. 2024, arXiv:2405.09673).
        adapter_dropout: Dropout of what goes into an adapter.
        adapter_modules: ``all`` linear layers, or those of the ``attention`` only. All is what
            comes nearest to full tuning (Dettmers et al. 2023, arXiv:2305.14314).
        adapter_multiplier: Learning rate of adapters relative to ``learning_rate``, which stays
            that of full tuning; the head learns at least as fast. Adapters want about ten times
            the rate (Biderman et al.), less where a protocol's own is high.
    """

    learning_rate: float = Field(default=3e-5, gt=0)
    epochs: float = Field(default=1.0, gt=0)
    batch_size: int = Field(default=32, ge=1)
    warmup_ratio: float = Field(default=0.1, ge=0, le=1)
    weight_decay: float = Field(default=0.01, ge=0)
    length: int = Field(default=384, ge=1)
    stride: int = Field(default=128, ge=0)
    head_multiplier: float = Field(default=1.0, gt=0)
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    freeze_embeddings: bool = False
    frozen_layers: int = Field(default=0, ge=0)
    cache_frozen: bool = False
    dropout: float | None = Field(default=None, ge=0, lt=1)
    precision: Precision = "auto"
    max_grad_norm: float = Field(default=1.0, gt=0)
    micro_tokens: int | None = Field(default=None, ge=1)
    gradient_checkpointing: bool = False
    compile: bool = False
    adapter_rank: int = Field(default=0, ge=0)
    adapter_alpha: float | None = Field(default=None, gt=0)
    adapter_dropout: float = Field(default=0.0, ge=0, lt=1)
    adapter_modules: AdapterModules = "all"
    adapter_multiplier: float = Field(default=10.0, gt=0)

    @model_validator(mode="after")
    def _overlap_fits(self) -> "TrainingProtocol":
        if self.stride >= self.length:
            raise ValueError(f"stride {self.stride} must be below length {self.length}")
        return self

    @model_validator(mode="after")
    def _can_cache_frozen(self) -> "TrainingProtocol":
        if self.cache_frozen and not (self.freeze_embeddings and self.frozen_layers):
            raise ValueError(
                "cache_frozen = true needs freeze_embeddings = true and frozen_layers of 1 or more "
                f"(here {str(self.freeze_embeddings).lower()} and {self.frozen_layers}): only what "
                "no training changes can be kept"
            )
        if self.cache_frozen and self.compile:
            raise ValueError("cache_frozen = true and compile = true exclude each other; set one")
        return self

    @model_validator(mode="after")
    def _has_adapters(self) -> "TrainingProtocol":
        fields = type(self).model_fields
        # The multiplier may stand in a plugin's protocol, for studies that set a rank.
        for name in ("adapter_alpha", "adapter_dropout", "adapter_modules"):
            value = getattr(self, name)
            if not self.adapter_rank and value != fields[name].default:
                raise ValueError(
                    f"{name} = {value} is about adapters, and adapter_rank = 0 trains without any; "
                    "set adapter_rank, to 16 say"
                )
        return self
