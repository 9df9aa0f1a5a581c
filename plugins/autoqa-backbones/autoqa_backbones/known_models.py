"""Published models that study files may name: one table of what is known of them.

Licences are those that models' cards on the Hugging Face hub name. InfoXLM's cards and that of
MuRIL large name none. Commits were the heads of their branches in 2026; a study's ``revision``
names another.
"""

from dataclasses import replace

from autoqa_backbones.known_languages import FURTHER_INDIAN, HUNDRED, INDIAN, codes
from autoqa_backbones.known_model import KnownModel
from autoqa_backbones.protocols import (
    DEBERTA,
    ELECTRA,
    ELECTRA_LARGE,
    ELECTRA_SMALL,
    GEMMA,
    GENERIC,
    LARGE,
    MODERN,
    MODERN_LARGE,
    MODERN_SMALL,
    MURIL,
    REMBERT,
    SMALL,
    XLMR_LARGE,
)

_LARGE = ("12 layers of 768", "24 layers of 1,024")

_MURIL = KnownModel(
    model="google/muril-base-cased",
    languages=(*INDIAN, "en"),
    kind="bert",
    about="12 layers of 768, 16 Indian languages, also in Latin letters, and English; cased "
    "WordPiece that keeps vowel signs",
    licence="Apache-2.0",
    protocol=MURIL,
    citation="Khanuja et al. 2021, MuRIL: Multilingual Representations for Indian Languages, "
    "arXiv:2103.10730",
    revision="afd9f36c7923d54e97903922ff1b260d091d202f",
    positions=512,
)
_XLMR = KnownModel(
    model="FacebookAI/xlm-roberta-base",
    languages=HUNDRED,
    kind="xlm-roberta",
    about="12 layers of 768, 100 languages; Unigram whose tokens carry the space before them",
    licence="MIT",
    protocol=GENERIC,
    citation="Conneau et al. 2020, Unsupervised Cross-lingual Representation Learning at Scale, "
    "arXiv:1911.02116",
    revision="e73636d4f797dec63c3081bb6ed5c7b0bb3f2089",
    positions=512,
)
_INFOXLM = replace(
    _XLMR,
    model="microsoft/infoxlm-base",
    about="XLM-R base, trained on parallel sentences further",
    licence="unknown",
    citation="Chi et al. 2021, InfoXLM: An Information-Theoretic Framework for Cross-Lingual "
    "Language Model Pre-Training, arXiv:2007.07834",
    revision="main",
)
_INDIC_V2 = KnownModel(
    model="ai4bharat/IndicBERTv2-MLM-only",
    languages=(*INDIAN, *FURTHER_INDIAN, "en"),
    kind="bert",
    about="12 layers of 768, 22 Indian languages and English; WordPiece",
    licence="MIT",
    protocol=GENERIC,
    citation="Doddapaneni et al. 2023, Towards Leaving No Indic Language Behind, arXiv:2212.05409",
    revision="8598f13fe52443bc3fc054fcd665944560145b5c",
    positions=512,
)
_INDIC_V3 = KnownModel(
    model="ai4bharat/IndicBERT-v3-270M",
    languages=(*INDIAN, *FURTHER_INDIAN, "en"),
    kind="gemma3_text",
    about="Gemma 3 270M made to read both ways, 22 Indian languages and English; gated, and "
    "Gemma's terms hold for what it was made of",
    licence="MIT",
    protocol=GEMMA,
    citation="AI4Bharat 2025, IndicBERT-v3, https://huggingface.co/ai4bharat/IndicBERT-v3-270M",
    bidirectional=True,
)
_MMBERT = KnownModel(
    model="jhu-clsp/mmBERT-base",
    languages=HUNDRED,
    kind="modernbert",
    about="22 layers of 768, over 1,800 languages; Gemma 2's tokenizer, windows up to 8,192",
    licence="MIT",
    protocol=MODERN,
    citation="Marone et al. 2025, mmBERT: A Modern Multilingual Encoder with Annealed Language "
    "Learning, arXiv:2509.06888",
    revision="c5955035435e2bf121cde7f3c8863ef52ff35d82",
)
_EUROBERT = KnownModel(
    model="EuroBERT/EuroBERT-210m",
    languages=codes("ar de en es fr hi it ja nl pl pt ru tr vi zh"),
    kind="eurobert",
    about="12 layers of 768, 15 languages, Hindi among them; byte-level BPE, windows up to 8,192",
    licence="Apache-2.0",
    protocol=MODERN,
    citation="Boizard et al. 2025, EuroBERT: Scaling Multilingual Encoders for European Languages, "
    "arXiv:2503.05500",
)
_E5 = KnownModel(
    model="intfloat/multilingual-e5-base",
    languages=HUNDRED,
    kind="xlm-roberta",
    about="XLM-R base, trained to find passages for questions",
    licence="MIT",
    protocol=GENERIC,
    citation="Wang et al. 2024, Multilingual E5 Text Embeddings: A Technical Report, "
    "arXiv:2402.05672",
    revision="835193815a3936a24a0ee7dc9e3d48c1fbb19c55",
    positions=512,
)
_MODERNBERT = KnownModel(
    model="answerdotai/ModernBERT-base",
    languages=("en",),
    kind="modernbert",
    about="22 layers of 768, English and code; byte-level BPE, windows up to 8,192",
    licence="Apache-2.0",
    protocol=MODERN,
    citation="Warner et al. 2024, Smarter, Better, Faster, Longer: A Modern Bidirectional Encoder, "
    "arXiv:2412.13663",
    revision="8949b909ec900327062f0ebf497f51aef5e6f0c8",
)
_DEBERTA = KnownModel(
    model="microsoft/deberta-v3-base",
    languages=("en",),
    kind="deberta-v2",
    about="12 layers of 768, English; relative positions, sentence pieces",
    licence="MIT",
    protocol=DEBERTA,
    citation="He et al. 2021, DeBERTaV3: Improving DeBERTa using ELECTRA-Style Pre-Training with "
    "Gradient-Disentangled Embedding Sharing, arXiv:2111.09543",
    revision="8ccc9b6f36199bec6961081d44eb72fb3f7353f3",
    pieces=True,
)
_ELECTRA = KnownModel(
    model="google/electra-base-discriminator",
    languages=("en",),
    kind="electra",
    about="12 layers of 768, English; uncased WordPiece",
    licence="Apache-2.0",
    protocol=ELECTRA,
    citation="Clark et al. 2020, ELECTRA: Pre-training Text Encoders as Discriminators Rather Than "
    "Generators, arXiv:2003.10555",
    positions=512,
)

MODELS: dict[str, KnownModel] = {
    "muril-base": _MURIL,
    "muril-large": replace(
        _MURIL,
        model="google/muril-large-cased",
        about=_MURIL.about.replace(*_LARGE),
        licence="unknown",
        revision="04b2b55d551f195734bfe494926e983ef12c88ce",
    ),
    "rembert": KnownModel(
        model="google/rembert",
        languages=codes(
            "ar bg bn cs da de el en es et fa fi fr gu he hi hu id it ja kn ko lt "
            "lv ml mr ne nl no pa pl pt ro ru sk sv sw ta te th tr uk ur vi zh"
        ),
        kind="rembert",
        about="32 layers of 1,152, 110 languages; Unigram whose tokens carry the space before them",
        licence="Apache-2.0",
        protocol=REMBERT,
        citation="Chung et al. 2021, Rethinking Embedding Coupling in Pre-trained Language Models, "
        "arXiv:2010.12821",
        revision="65da5133da36e29dfca67d4f0dd9f7f9db21b563",
        positions=512,
    ),
    "xlm-r-base": _XLMR,
    "xlm-r-large": replace(
        _XLMR,
        model="FacebookAI/xlm-roberta-large",
        about=_XLMR.about.replace(*_LARGE),
        protocol=XLMR_LARGE,
        revision="c23d21b0620b635a76227c604d44e43a9f0ee389",
    ),
    "infoxlm-base": _INFOXLM,
    "infoxlm-large": replace(
        _INFOXLM,
        model="microsoft/infoxlm-large",
        about="XLM-R large, trained on parallel sentences further",
        protocol=XLMR_LARGE,
        revision="d616d637f0720deda963cebbfc630657d2b7d3ae",
    ),
    "mdeberta-v3-base": replace(
        _DEBERTA,
        model="microsoft/mdeberta-v3-base",
        languages=HUNDRED,
        about=_DEBERTA.about.replace("English", "100 languages"),
        revision="a0484667b22365f84929a935b5e50a51f71f159d",
    ),
    "indicbert-v2": _INDIC_V2,
    "indicbert-v2-sam-tlm": replace(
        _INDIC_V2,
        model="ai4bharat/IndicBERTv2-MLM-Sam-TLM",
        about=f"{_INDIC_V2.about}; trained on parallel sentences, too",
        revision="605bfff4a100307f97197c899e6e28c366b1f6c4",
    ),
    "indicbert-v3-270m": _INDIC_V3,
    "indicbert-v3-1b": replace(
        _INDIC_V3, model="ai4bharat/IndicBERT-v3-1B", about=_INDIC_V3.about.replace("270M", "1B")
    ),
    "indicbert-v3-4b": replace(
        _INDIC_V3, model="ai4bharat/IndicBERT-v3-4B", about=_INDIC_V3.about.replace("270M", "4B")
    ),
    "mmbert-small": replace(
        _MMBERT,
        model="jhu-clsp/mmBERT-small",
        about=_MMBERT.about.replace("768", "384"),
        protocol=MODERN_SMALL,
        revision="abc32620dd4f6ab06f5fbe905dc25f310618e09f",
    ),
    "mmbert-base": _MMBERT,
    "eurobert-210m": _EUROBERT,
    "eurobert-610m": replace(
        _EUROBERT,
        model="EuroBERT/EuroBERT-610m",
        about=_EUROBERT.about.replace("12 layers of 768", "26 layers of 1,152"),
        protocol=MODERN_LARGE,
    ),
    "eurobert-2.1b": replace(
        _EUROBERT,
        model="EuroBERT/EuroBERT-2.1B",
        about=_EUROBERT.about.replace("12 layers of 768", "32 layers of 2,304"),
        protocol=MODERN_LARGE,
    ),
    "multilingual-e5-small": replace(
        _E5,
        model="intfloat/multilingual-e5-small",
        kind="bert",
        about="12 layers of 384, 100 languages, XLM-R's tokenizer; e5-small has it without a hub",
        protocol=SMALL,
        revision="fd1525a9fd15316a2d503bf26ab031a61d056e98",
    ),
    "multilingual-e5-base": _E5,
    "multilingual-e5-large": replace(
        _E5,
        model="intfloat/multilingual-e5-large",
        about="XLM-R large, trained to find passages for questions",
        protocol=XLMR_LARGE,
        revision="ab10c1a7f42e74530fe7ae5be82e6d4f11a719eb",
    ),
    "modernbert-base": _MODERNBERT,
    "modernbert-large": replace(
        _MODERNBERT,
        model="answerdotai/ModernBERT-large",
        about=_MODERNBERT.about.replace("22 layers of 768", "28 layers of 1,024"),
        protocol=MODERN_LARGE,
        revision="45bb4654a4d5aaff24dd11d4781fa46d39bf8c13",
    ),
    "deberta-v3-small": replace(
        _DEBERTA,
        model="microsoft/deberta-v3-small",
        about=_DEBERTA.about.replace("12", "6", 1),
        revision="a36c739020e01763fe789b4b85e2df55d6180012",
    ),
    "deberta-v3-base": _DEBERTA,
    "deberta-v3-large": replace(
        _DEBERTA,
        model="microsoft/deberta-v3-large",
        about=_DEBERTA.about.replace(*_LARGE),
        protocol=LARGE,
        revision="64a8c8eab3e352a784c658aef62be1662607476f",
    ),
    "electra-small": replace(
        _ELECTRA,
        model="google/electra-small-discriminator",
        about=_ELECTRA.about.replace("768", "256"),
        protocol=ELECTRA_SMALL,
        revision="fa8239aadc095e9164941d05878b98afe9b953c3",
    ),
    "electra-base": _ELECTRA,
    "electra-large": replace(
        _ELECTRA,
        model="google/electra-large-discriminator",
        about=_ELECTRA.about.replace(*_LARGE),
        protocol=ELECTRA_LARGE,
    ),
}

LICENCES = {known.model.lower(): known.licence for known in MODELS.values()}
"""Of the weights as their authors published them; says nothing about models derived from them."""
