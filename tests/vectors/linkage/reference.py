#!/usr/bin/env python3
"""A second implementation of docs/format/normalisation.md; it reads that page's tables. Writes normalise.jsonl and words.jsonl beside it.

Run it after a change of the page:  python3 tests/vectors/linkage/reference.py
"""
import datetime
import json
import pathlib
import random
import re
import unicodedata

HERE = pathlib.Path(__file__).resolve().parent
PAGE = (HERE.parents[2] / "docs/format/normalisation.md").read_text()
TODAY = datetime.date(2026, 11, 22)


def table(name):
    return re.search(rf"^```{name}\n(.*?)^```", PAGE, re.S | re.M).group(1)


def words_of_table(name):
    return [entry.strip() for entry in re.split(r"  +|\n", table(name)) if entry.strip()]


LATIN = {chr(int(code[2:], 16)): form for code, form in (entry.split(":") for entry in words_of_table("latin"))}
PREFIX = dict((entry.split(": ") * 2)[:2] for entry in words_of_table("prefix-words"))
GLUED_PREFIXES = words_of_table("glued-prefixes")
GLUED, JOINING, UNKNOWN = (set(words_of_table(name)) for name in ("glued-words", "joining-words", "unknown-words"))
ARTICLES, GIVEN_GLUED = set(words_of_table("articles")), set(words_of_table("given-glued-words"))
VARIANT = {spelling: line.split(": ")[0] for line in table("name-variants").splitlines() for spelling in line.split(": ")[1].split()}
SOUNDS = [tuple(line.split()) for line in table("sounds").splitlines()]
VOWELS = "aeiouy"
APOSTROPHES = set("'`\u00b4\u2018\u2019\u201b\u2032") | {chr(code) for code in range(0x2B0, 0x300)}


def size(text):
    return len(text.encode())


def words(text):
    out, word = [], ""

    def finish():
        nonlocal word
        if word:
            out.append(unicodedata.normalize("NFC", "".join(LATIN.get(c, c) for c in word.casefold())))
        word = ""

    for given in text:
        if given in APOSTROPHES:
            continue
        for c in unicodedata.normalize("NFKD", given):
            category = unicodedata.category(c)
            if category[0] == "L" and c not in APOSTROPHES:
                word += c
            elif category[0] != "M" and c not in APOSTROPHES:
                finish()
                if c == "," or category == "Pd":
                    out.append("," if c == "," else "-")
    finish()
    return out


def limit(names):
    return [name[:28] for name in names[:8]]


def surname_parts(surname, prefix):
    found = words(surname)
    if "," in found:
        last = len(found) - 1 - found[::-1].index(",")
        behind = found[last + 1:]
        if last > 0 and behind and all(word in PREFIX or word == "-" for word in behind):
            found = behind + found[:last]
    found = " ".join(word for word in found if word != ",")
    found = re.sub("^(- ?)+|( ?-)+$|(?<=- )(- )+", "", found).split()
    at = 0
    while at < len(found):
        for start in GLUED_PREFIXES:
            if found[at].startswith(start) and size(found[at]) >= size(start) + 3:
                found[at:at + 1] = [start, found[at][len(start):]]
                break
        at += 1
    if len(found) == 1 and found[0] in UNKNOWN:
        return "", []
    parts, written, at = [], [], 0
    while at < len(found):
        word, is_last = found[at], at == len(found) - 1
        at += 1
        if word == "-":
            continue
        if not is_last and word in PREFIX:
            if not parts:
                written.append(PREFIX[word])
            continue
        if not is_last and parts and word in JOINING:
            continue
        part = word
        while word in GLUED and at < len(found) and size(found[at]) >= 3 and found[at] not in PREFIX:
            word = found[at]
            part += word
            at += 1
        parts.append(part)
    if any(len(part) > 1 for part in parts):
        parts = [part for part in parts if len(part) > 1]
    if not parts:
        return "", []
    canonical = [PREFIX.get(word, word) for word in words(prefix) if word not in ",-"] or written
    return " ".join(canonical), limit(parts)


def given_names(text):
    found = [word for word in words(text) if word not in ",-"]
    if len(found) == 1 and found[0] in UNKNOWN:
        return []
    out, at = [], 0
    is_name = lambda at: at < len(found) and size(found[at]) >= 3
    while at < len(found):
        name = found[at]
        at += 1
        if not out and name in ARTICLES and is_name(at):
            continue
        while name in GIVEN_GLUED and (is_name(at) or at < len(found) and found[at] in ARTICLES):
            name += found[at]
            at += 1
        if size(name) <= 4 and all("a" <= c <= "z" and c not in VOWELS for c in name):
            out += list(name)
        else:
            out.append(name)
    return limit(out)


def sound(word):
    out, at = "", 0
    while at < len(word):
        spelling, becomes = word[at], word[at]
        for rule, place, result in SOUNDS:
            end = at + len(rule)
            following = word[end:end + 1]
            if word.startswith(rule, at) and {
                    "anywhere": True, "start": at == 0, "end": not following,
                    "before-vowel": following != "" and following in VOWELS,
                    "before-front-vowel": following != "" and following in "eiy",
                    "end-after-consonant": not following and at > 0 and word[at - 1] not in VOWELS}[place]:
                spelling, becomes = rule, result
                break
        for c in becomes:
            if not out or out[-1] != c or not "a" <= c <= "z":
                out += c
        at += len(spelling)
    return out


def skeleton(word):
    full = sound(word).replace("w", "f")
    return "".join(("a" if at == 0 else "") if c in VOWELS else "" if at > 0 and c in "hj" else c for at, c in enumerate(full))


def variant(word):
    return VARIANT.get(word, word)


FORMS = {"": variant, "_sound": lambda word: sound(variant(word)), "_skeleton": lambda word: skeleton(variant(word))}
in_bytes = lambda word: word.encode()


def together(forms):
    return " ".join(sorted(set(forms), key=in_bytes))


class Refused(Exception):
    pass


def birth_date(text, recipe):
    """Returns (year, month, day), texts that are empty when not known."""
    if text == "":
        return "", "", ""
    match = re.fullmatch(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?", text)
    if not match or recipe == 1 and match.group(3) is None:
        raise Refused("DATE_INVALID", "birth_date")
    year, month, day = (match.group(i) or "00" for i in (1, 2, 3))
    if recipe == 2 and int(year) == int(month) == int(day) == 0:
        return "", "", ""
    try:
        if recipe == 2 and int(day) == 0:
            first = datetime.date(int(year), int(month) or 1, 1)
            day = ""
            month = "" if int(month) == 0 else month
        else:
            first = datetime.date(int(year), int(month), int(day))
    except ValueError:
        raise Refused("DATE_INVALID", "birth_date") from None
    if not datetime.date(1880, 1, 1) <= first <= TODAY:
        raise Refused("DATE_INVALID", "birth_date")
    return year, month, day


def checked(field, text, pattern):
    if text and not re.fullmatch(pattern, text):
        raise Refused(field.upper() + "_INVALID", field)
    return text


def normalise(record, recipe):
    get = lambda field: record.get(field, "")
    plain = lambda field: get(field).strip("\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
                                           "\u200a\u2028\u2029\u202f\u205f\u3000")
    for field in record:
        if size(get(field)) > 256:
            raise Refused("FIELD_TOO_LONG", field)
    n = {}
    n["bsn"] = checked("bsn", plain("bsn"), "[0-9]{8,9}")
    if n["bsn"]:
        n["bsn"] = n["bsn"].zfill(9)
        weighed = sum(int(digit) * weight for digit, weight in zip(n["bsn"], (9, 8, 7, 6, 5, 4, 3, 2, -1)))
        if weighed % 11 or int(n["bsn"]) == 0:
            raise Refused("BSN_INVALID", "bsn")
    fold = lambda text: unicodedata.normalize("NFC", "".join(
        c for c in unicodedata.normalize("NFKD", text)
        if unicodedata.category(c)[0] == "L" and not 0x2B0 <= ord(c) <= 0x2FF).casefold())
    n["surname"], n["initial"] = fold(get("surname")), fold(get("given_names"))[:1]
    year, month, day = birth_date(plain("birth_date"), recipe)
    n["birth_date"] = f"{year}-{month}-{day}" if year and month and day else ""
    n["postcode"] = checked("postcode", plain("postcode"), "[1-9][0-9]{3} ?[A-Za-z]{2}").replace(" ", "").upper()
    n["house_number"] = checked("house_number", plain("house_number"), "0*[1-9][0-9]{0,4}").lstrip("0")
    n["house_letter"] = checked("house_letter", plain("house_letter"), "[A-Za-z]").upper()
    n["house_suffix"] = re.sub("[ -]", "", checked("house_suffix", plain("house_suffix"), "[A-Za-z0-9 -]{1,4}")).upper()
    prefix, parts = surname_parts(get("surname"), get("surname_prefix")) if recipe == 2 else ("", [])
    n["surname_prefix"], n["surname_parts"] = prefix, parts
    n["given_names"] = given_names(get("given_names")) if recipe == 2 else []
    n["birth_year"], n["birth_month"], n["birth_day"] = (year, month, day) if recipe == 2 else ("", "", "")
    return n


def derived(n):
    parts = n["surname_parts"]
    given = n["given_names"][0] if n["given_names"] and len(n["given_names"][0]) > 1 else ""
    year, month, day = n["birth_year"], n["birth_month"], n["birth_day"]
    d = {field: n[field] for field in ("bsn", "surname", "initial", "birth_date", "postcode", "house_number",
                                       "birth_year", "birth_month", "birth_day")}
    surname_forms = dict(FORMS, _start=lambda word: variant(word)[:4])
    given_forms = dict(FORMS, _start=lambda word: variant(word)[:3])
    for suffix, form in surname_forms.items():
        d["surname_low" + suffix] = min(map(form, parts), key=in_bytes) if parts else ""
        d["surname_high" + suffix] = max(map(form, parts), key=in_bytes) if parts else ""
    for suffix, form in given_forms.items():
        d["given_name" + suffix] = form(given)
        d["names" + suffix] = together(map(form, [given] + parts)) if given and parts else ""
    d["surname_all"] = together(map(variant, parts))
    d["given_initial"] = n["given_names"][0][:1] if n["given_names"] else ""
    d["birth_date_certain"] = "" if n["birth_date"][5:] in ("01-01", "07-01") else n["birth_date"]
    d["birth_date_unordered"] = "-".join([year] + sorted((month, day))) if n["birth_date"] and year else ""
    code = lambda word: sound(variant(word))[:3] + ("+" if word and variant(word)[-1] in VOWELS else "")
    own = parts[-1] if parts else ""
    d["surname_own_start"], d["surname_own_skeleton"] = variant(own)[:3], skeleton(variant(own))
    d["given_name_code"] = code(given) if given else ""
    d["names_code"] = " ".join(sorted((code(given), code(own)), key=in_bytes)) if given and own else ""
    d["settled_birth_date"] = d["birth_date_certain"] if year < "2000" else ""
    d["not_known_young"] = "1" if year < "2000" else ""
    d["postcode_unordered"], d["house_number_unordered"] = "".join(sorted(n["postcode"])), "".join(sorted(n["house_number"]))
    both = lambda first, second: f"{first}-{second}" if first and second else ""
    d["birth_year_month"], d["birth_year_day"], d["birth_month_day"] = both(year, month), both(year, day), both(month, day)
    d["postcode_area"] = n["postcode"][:4]
    addition = n["house_letter"] + n["house_suffix"]
    d["house_letter_suffix"] = n["house_letter"] + "/" + n["house_suffix"]
    d["house"] = n["house_number"] + ("-" + addition if n["house_number"] and addition else "")
    d["address"] = n["postcode"] + " " + d["house"] if n["postcode"] and d["house"] else ""
    return d


def vector(record, recipe):
    out = {"recipe": recipe, "record": record}
    try:
        n = normalise(record, recipe)
    except Refused as refused:
        return dict(out, error={"reason": refused.args[0], "field": refused.args[1]})
    return dict(out, normalised={k: v for k, v in n.items() if v}, derived={k: v for k, v in derived(n).items() if v})


SURNAMES = """Jansen|Jansen-de Vries|de Vries-Jansen|de Vries - Jansen|Vries-Jansen, de|Jansen e.v. de Vries|Jansen e/v de Vries|de Vries geb. Jansen
van den Berg|Berg, van den|Berg, v.d.|v.d. Berg|v/d Berg|vd Berg|Vandenberg|VAN DEN BERG|Van Den Berg|van der Meer|Vandermeer|Vandewalle|van 't Hof|van ’t Hof|vant Hof
in 't Veld|in't Veld|op den Dries|uijt den Bogaard|den Ouden|'s-Gravesande|s Gravesande|ter Haar|ten Have|Os|Oss|van Os|Do|do Carmo|Van|van|de|de la Cruz|van de
O'Neill|O’Neill|OʼNeill|O´Neill|ONeill|D'Hondt|l'Ami|Käster|Kaster|KASTER|Ka\u0308ster|Strauß|STRAUSS|Müller|Mueller|Muller|Weiß|Çelik|Celik|Yılmaz|YILMAZ|Ozturk|Öztürk|Şahin|İnönü
Łukasiewicz|Lukasiewicz|Sørensen|Đorđević|Þórsson|Ærø|Œuvray|Nguyễn|El Idrissi|El-Idrissi|el idrissi|Elidrissi|Al-Hassan|al Hassan|Ben Haddou|Benhaddou|Ait-Ali|Aït Ali|Oulad Haddou
Klein Gebbink|Klein-Gebbink|Kleingebbink|Oude Nijhuis|Grote Klein Haar|de Jonge|de Jong|Jonge Poerink|Groot|Garcia Marquez|García Márquez|Márquez García|Jansen B.|B. Jansen|J P Jansen
.|-|...|' -|123|onbekend|Onbekend|ONBEKEND|NN|N.N.|nvt|van onbekend|onbekend Jansen|geb. Jansen|Jansen geb.|,|, van|van,|Jansen,|Jansen, Piet|Berg, van den, P.|a b c|a-b Jansen
Иванов|Иванова-Петрова|Παπαδόπουλος|王小明|김민준|محمد|אברהם|ДʼЯконов|Jansen\u00a0de\u2003Vries|Jansen\u2013Vries|Jansen\u2010Vries|\uff2aansen|ﬁscher|Ĳsselstein|Ÿnsen|J.a.n.s.e.n|Jansen2
Lichthart|Ligthart|Schouten|Bosch|Bos|Smit|Smid|Smidt|Schmidt|Smits|Smids|Dijkstra|Dykstra|Deikstra|Beijer|Beyer|Meijer|Meyer|Meier|Bouwman|Bauman|Bouman|Pauw|Claassen|Klaasen|Claessen
Luycks|Luiks|Luyckx|Vrede|Wrede|Phillips|Filips|Quaedvlieg|Kwaadvlieg|Mulder|Thijssen|Tijssen|Zwart|Swart|de Vos|Boer|Boor|Cuijpers|Kuipers|Kuypers|Citroen|Sitroen|Accent|Jacobs|Jakobs
Kowalski|Kovalsky|Wiśniewska|Nowak|Szymański|Wójcik|Dąbrowski|Zieliński|Leeuwen|Nieuwenhuis|Rooij|Rooy|Kelly|Kellie|Yildiz|Schchphth|aaaa|zzzz|xx|yyy|ij|a|é|øø|q|wraak"""
GIVEN = """Jan|Johannes|J.|J.P.|JP|J P|JCM|Th.|Chr.|Johanna Maria|Anne-Marie|Annemarie|Anne Marie|Élodie Maria|'Abdul|Abdelkader|Abd el Kader|Abdel Kader|Abdul Kadir|Abdel J.|Abd el J|El Mehdi|Mehdi
el|al J|Al|Mohamed|Muhammad|Mohammed Ali|MOHAMMED|Mohd|Aïcha|Ayşe|Aischa|Fatma|Fatima Zohra|Fatima-Zahra|Youssef|Yusuf|Joesoef|Zoë|Renée|Noël|IJsbrand|Ĳsbrand|Øyvind|Łukasz|Krzysztof|Małgorzata
.|-|onbekend|Onbekend Kind|NN|N.N.|Piet, Jan|sj|Sjd|Sjdrt|Ng|李|小明|Анна|Ånna|D'Angelo|Jan2|123|\u0301|\U00010400bc|Ali (Aly)|el el Mehdi|abd|abd abd kader|aabbccddee"""
RECORDS = [
    {}, {"bsn": "999993653"}, {"bsn": "00009921"}, {"bsn": " 000009921\u00a0"}, {"bsn": "000000000"}, {"bsn": "999993848"}, {"bsn": "99999-847"}, {"bsn": "٩٩٩٩٩٣٨٤٧"},
    {"postcode": " 6211 ab"}, {"postcode": "6211AB"}, {"postcode": "0211AB"}, {"postcode": "6211  AB"}, {"postcode": "6211A1"},
    {"house_number": "0012"}, {"house_number": "99999"}, {"house_number": "0"}, {"house_number": "100000"}, {"house_number": "12a"}, {"house_number": "12-14"},
    {"house_number": "12", "house_letter": "a"}, {"house_number": "12", "house_suffix": "a"}, {"house_number": "12", "house_letter": "a", "house_suffix": "2-h"},
    {"postcode": "6211AB", "house_number": "12", "house_suffix": "bis"}, {"postcode": "6211AB", "house_number": "12"}, {"house_letter": "ab"}, {"house_letter": "é"},
    {"house_suffix": "-"}, {"house_suffix": "12345"}, {"house_suffix": "a/b"}, {"house_letter": "b", "house_suffix": " 1 "},
    {"surname": "x" * 256}, {"surname": "x" * 257}, {"given_names": "é" * 129}, {"surname": "ab " * 80}, {"surname": "\ufdfa" * 85}, {"given_names": "Jan " * 60}, {"surname": "a" * 100 + "-" + "b" * 100},
    {"surname": "Vries", "surname_prefix": "de"}, {"surname": "de Vries", "surname_prefix": "de"}, {"surname": "Meer", "surname_prefix": "v.d."}, {"surname": "Berg", "surname_prefix": "Van den"},
    {"surname": "Hof", "surname_prefix": "van 't"}, {"surname": "van Hof", "surname_prefix": "xyz"}, {"surname": ".", "surname_prefix": "van"}, {"surname_prefix": "van"}, {"surname": "Jansen", "surname_prefix": ","},
    {"surname": "Jansen", "given_names": "Piet"}, {"surname": "Piet", "given_names": "Jansen"}, {"surname": "Jansen-de Vries", "given_names": "Maria Anna"}, {"surname": "Jan", "given_names": "Jan"},
    {"surname": "Jansen", "given_names": "P."}, {"bsn": "999993653", "surname": "El Idrissi", "given_names": "Muhammad", "birth_date": "2010-07-01", "postcode": "6211 ab", "house_number": "7", "house_letter": "b"},
]
DATES = """2010-02-28 2010-03-02 2010-02-03 2010-11-05 2010-05-11 2010-01-01 2010-07-01 2010-07-02 2000-02-29 1900-02-29 2010-02-29 1880-01-01 1879-12-31 2026-11-22 2026-11-23 2010-00-00 2010-05-00 2010-00-05
2010-13-00 2010-05 2010 2010-13 0000-00-00 0000-00 0000 0000-05-00 0000-05 1880 1879 1880-00-00 2026 2026-11 2026-12 2027 2026-12-00 1999-12-31 2000-01-02 1990-01-01 1999 2000 20100228 201 2010-2-28 28-02-2010 2010/02/28 2010-02-28T00 ２０１０-01-01 2010- 2010-05-""".split()


def all_vectors():
    both = [{"surname": s} for s in SURNAMES.replace("\n", "|").split("|")] + [{"given_names": g} for g in GIVEN.replace("\n", "|").split("|")]
    both += RECORDS + [{"birth_date": date} for date in DATES]
    both += [{"surname": f"{prefix} Bakker"} for prefix in PREFIX] + [{"surname": f"Bakker, {prefix}"} for prefix in PREFIX]
    both += [{"surname": f"{start}bakker"} for start in GLUED_PREFIXES] + [{"surname": f"{word} Bakker"} for word in sorted(GLUED)]
    both += [{"surname": f"Bakker {word} Visser"} for word in sorted(JOINING)] + [{"surname": word} for word in sorted(UNKNOWN)]
    both += [{"given_names": f"{word} Bakker"} for word in sorted(GIVEN_GLUED | ARTICLES)]
    both += [{"surname": f"b{letter}b {letter.upper()}a"} for letter in LATIN] + [{"surname": f"Ba{mark}kker"} for mark in sorted(APOSTROPHES)]
    rng = random.Random(4)
    # Blocks that all versions of Unicode in use know completely: Latin, Greek, Cyrillic, Hebrew, Arabic, Hangul.
    pool = [chr(c) for c in [*range(0x20, 0x250), *range(0x2B0, 0x370), *range(0x370, 0x530), *range(0x5D0, 0x5EB), *range(0x620, 0x64B),
                             *range(0x1E00, 0x2070), *range(0xAC00, 0xAC20)] if unicodedata.category(chr(c)) != "Cn"]
    entries = [*PREFIX, *sorted(GLUED), *sorted(JOINING), *GLUED_PREFIXES, *sorted(UNKNOWN | ARTICLES | GIVEN_GLUED), *list(VARIANT)[::7], " ", " ", "-", ",", "'", "x", "jan"]
    for _ in range(300):
        mixed = lambda: "".join(rng.choice(pool) if rng.random() < 0.5 else rng.choice(entries) + rng.choice("  -,") for _ in range(rng.randint(1, 8)))
        both.append({"surname": mixed(), "surname_prefix": rng.choice(entries), "given_names": mixed()})
    for record in both:
        for recipe in (1, 2):
            # Recipe 1 folds the names of the random records too: fold_vectors.txt has those.
            if recipe == 2 or not record.get("given_names") or len(record) < 3:
                yield vector(record, recipe)


def word_vectors():
    listed = SURNAMES.replace("\n", "|").split("|") + GIVEN.replace("\n", "|").split("|")
    seen = {word for text in listed for word in words(text)} | set(VARIANT) | set(VARIANT.values())
    # Each rule of the table at the start, inside before vowel and consonant, after a vowel, and at the end.
    for spelling, _, _ in SOUNDS:
        seen |= {f"{before}{spelling}{after}" for before in ("", "m", "o") for after in ("", "a", "i", "n")}
    for word in sorted(seen):
        yield {"word": word, "variant": variant(word), "sound": sound(word), "skeleton": skeleton(word)}


def write(name, vectors):
    with open(HERE / name, "w", encoding="utf-8") as out:
        for each in vectors:
            out.write(json.dumps(each, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    write("normalise.jsonl", all_vectors())
    write("words.jsonl", word_vectors())
