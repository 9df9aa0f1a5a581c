"""Texts that checks are done with: a sentence or two in many languages, and generated questions."""

from autoqa.types import Answer, Example

TEXTS = {
    "ar": "بنى التجار الجسر القديم عام 1874، وهو يعبر النهر قرب السوق. هل رأيته؟",
    "as": "নদীখনৰ পাৰত এখন পুৰণি বজাৰ আছে; তাত 27 খন দোকান আছে।",
    "bg": "Старият мост над реката е построен през 1874 г.; до него има пазар.",
    "bn": "নদীর ধারে একটি পুরনো বাজার আছে; সেখানে ২৭টি দোকান রয়েছে।",
    "cs": "Starý most přes řeku byl postaven roku 1874; vedle něj stojí tržiště.",
    "da": "Den gamle bro over åen blev bygget i 1874; ved siden af ligger et torv.",
    "de": "Die alte Brücke über den Fluß wurde 1874 gebaut; daneben liegt ein großer Markt.",
    "el": "Η παλιά γέφυρα του ποταμού χτίστηκε το 1874· δίπλα της υπάρχει μια αγορά.",
    "en": 'The old bridge (built in 1874) isn\'t far from the market; people call it "Long Back".',
    "es": "El puente viejo se construyó en 1874; ¿quién lo cruzó? El señor Núñez, según dicen.",
    "et": "Vana sild üle jõe ehitati aastal 1874; selle kõrval on väike turg.",
    "fa": "پل قدیمی رودخانه در سال ۱۸۷۴ ساخته شد؛ کنار آن بازاری هست.",
    "fi": "Joen vanha silta rakennettiin vuonna 1874; sen vieressä on pieni tori.",
    "fr": "Le vieux pont, bâti en 1874, mène à l'hôtel de ville : où s'arrête-t-il, ça ?",
    "gu": "નદીના કિનારે એક જૂનું બજાર છે; ત્યાં 27 દુકાનો છે.",
    "he": "הגשר הישן מעל הנהר נבנה בשנת 1874; לידו יש שוק קטן.",
    "hi": "नदी के किनारे एक पुराना बाज़ार है; वहाँ २७ दुकानें हैं।",
    "hr": "Stari most preko rijeke sagrađen je 1874. godine; uz njega je tržnica.",
    "hu": "A folyó régi hídja 1874-ben épült; mellette egy kis piac működik.",
    "id": "Jembatan tua di atas sungai dibangun pada tahun 1874; di sampingnya ada pasar.",
    "it": "Il vecchio ponte sul fiume fu costruito nel 1874; lì accanto c'è il mercato, perché no?",
    "ja": "川の古い橋は1874年に造られ、そばに市場がある。",
    "kn": "ನದಿಯ ದಡದಲ್ಲಿ ಒಂದು ಹಳೆಯ ಮಾರುಕಟ್ಟೆ ಇದೆ; ಅಲ್ಲಿ 27 ಅಂಗಡಿಗಳಿವೆ.",
    "ko": "강의 오래된 다리는 1874년에 지어졌고, 옆에 시장이 있다.",
    "lt": "Senasis upės tiltas pastatytas 1874 metais; šalia jo yra turgus.",
    "lv": "Vecais upes tilts uzcelts 1874. gadā; blakus tam ir tirgus.",
    "ml": "പുഴയുടെ തീരത്ത് ഒരു പഴയ ചന്തയുണ്ട്; അവിടെ 27 കടകളുണ്ട്.",
    "mr": "नदीच्या काठावर एक जुना बाजार आहे; तिथे २७ दुकाने आहेत.",
    "ne": "नदीको किनारमा एउटा पुरानो बजार छ; त्यहाँ २७ पसल छन्।",
    "nl": "De oude brug over de rivier is in 1874 gebouwd; ernaast ligt een markt.",
    "no": "Den gamle broen over elva ble bygd i 1874; ved siden av ligger et torg.",
    "or": "ନଦୀ କୂଳରେ ଏକ ପୁରୁଣା ବଜାର ଅଛି; ସେଠାରେ 27 ଟି ଦୋକାନ ଅଛି।",
    "pa": "ਨਦੀ ਦੇ ਕੰਢੇ ਇੱਕ ਪੁਰਾਣਾ ਬਾਜ਼ਾਰ ਹੈ; ਉੱਥੇ 27 ਦੁਕਾਨਾਂ ਹਨ।",
    "pl": "Stary most na rzece zbudowano w 1874 roku; obok niego jest targ.",
    "pt": "A velha ponte foi construída em 1874; ao lado há um mercado, não é?",
    "ro": "Podul vechi peste râu a fost construit în 1874; lângă el este o piață.",
    "ru": "Старый мост через реку построили в 1874 году; рядом с ним рынок.",
    "sk": "Starý most cez rieku postavili v roku 1874; vedľa neho je trh.",
    "sv": "Den gamla bron över ån byggdes 1874; bredvid ligger ett torg.",
    "sw": "Daraja la zamani la mto lilijengwa mwaka 1874; karibu nalo kuna soko.",
    "ta": "ஆற்றங்கரையில் ஒரு பழைய சந்தை உள்ளது; அங்கே 27 கடைகள் உள்ளன.",
    "te": "నది ఒడ్డున ఒక పాత బజారు ఉంది; అక్కడ 27 దుకాణాలు ఉన్నాయి.",
    "th": "สะพานเก่าข้ามแม่น้ำสร้างในปี 1874 ใกล้สะพานมีตลาด",
    "tr": "Nehrin üstündeki eski köprü 1874'te yapıldı; yanında küçük bir çarşı var.",
    "uk": "Старий міст через річку збудували 1874 року; поруч із ним є ринок.",
    "ur": "دریا کے کنارے ایک پرانا بازار ہے؛ وہاں ۲۷ دکانیں ہیں۔",
    "vi": "Cây cầu cũ qua sông được xây năm 1874; bên cạnh có một khu chợ.",
    "zh": "河上的旧桥建于1874年，桥边有一个市场。",
}
"""ISO code to a text in that language."""

_PEOPLE = ("Anna", "Ben", "Clara", "David", "Emma")
_CITIES = ("London", "Paris", "Berlin", "Madrid")


def word_examples(language: str) -> list[Example]:
    """Each word of a language's text as an answer; texts without spaces are one word."""
    text, made, at = TEXTS[language], [], 0
    for number, word in enumerate(text.split()):
        at = text.index(word, at)
        answer = (Answer(word, at),)
        made.append(Example(f"{language}{number}", "?", text, answer, language, language))
        at += len(word)
    return made


def generated_examples() -> list[Example]:
    """Twenty English questions, each about two sentences of its own."""
    pairs = [(person, city) for person in _PEOPLE for city in _CITIES]
    made = []
    for number, (person, city) in enumerate(pairs):
        other = _CITIES[(_CITIES.index(city) + 1) % len(_CITIES)]
        context = f"{person} lives in {city}, in a house near the river. A friend is in {other}."
        answer = Answer(city, context.index(city))
        question = f"Where does {person} live?"
        made.append(Example(str(number), question, context, (answer,), "en", str(number)))
    return made
