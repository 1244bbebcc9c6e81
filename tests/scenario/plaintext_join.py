"""Which matches there must be, computed over the records in the clear: what nobody in a real region could do.

Written from docs/format/normalisation.md and the words of the covenant, not from the code: an error must not be made twice.
"""
import collections
import unicodedata

PERSON_RULES = ["bsn", "surname-initial-birthdate"]
RULES = {"onaantastbaren": PERSON_RULES, "risicojeugd": PERSON_RULES, "gezinsaanpak": ["address"]}
NEEDS_CASE_REPORT = {"risicojeugd"}
THRESHOLD = 2


def fold(text):
    letters = [c for c in unicodedata.normalize("NFKD", text)
               if unicodedata.category(c).startswith("L") and not 0x2B0 <= ord(c) <= 0x2FF]
    return unicodedata.normalize("NFC", "".join(letters).casefold())


def key(rule, row):
    """What two records must have in common to be joined by `rule`; None when this record does not have all of it."""
    if rule == "bsn":
        parts = [row["bsn"].strip().zfill(9) if row["bsn"].strip() else ""]
    elif rule == "surname-initial-birthdate":
        parts = [fold(row["surname"]), fold(row["given_names"])[:1], row["birth_date"].strip()]
    else:
        parts = [row["postcode"].strip().replace(" ", "").upper(), row["house_number"].strip().lstrip("0"),
                 row["house_letter"].strip().upper() + "/" + row["house_suffix"].strip().upper().replace("-", "").replace(" ", "")]
    return tuple(parts) if all(parts) else None


def has_key(row):
    return any(key(rule, row) for rule in RULES[row["purpose"]])


def groups(signals):
    """Yields (purpose, rule, numbers of the signals) of what at least THRESHOLD organisations have in common."""
    found = collections.defaultdict(list)
    for number, (_, row) in enumerate(signals):
        for rule in RULES[row["purpose"]]:
            common = key(rule, row)
            if common:
                found[row["purpose"], rule, common].append(number)
    for (purpose, rule, _), members in found.items():
        if len({signals[number][0] for number in members}) < THRESHOLD:
            continue
        if purpose in NEEDS_CASE_REPORT and all(signals[number][1]["kind"] != "case_report" for number in members):
            continue
        yield purpose, rule, members


def join(signals):
    """`signals`: list of (partner, row), all live. Returns the matches as demo --json writes them, without id, sorted."""
    parent = list(range(len(signals)))

    def root(number):
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    shown = list(groups(signals))
    for _, _, members in shown:
        for number in members[1:]:
            parent[root(number)] = root(members[0])
    matches = {}
    for purpose, rule, members in shown:
        match = matches.setdefault(root(members[0]), {"purpose": purpose, "rules": set(), "members": set()})
        match["rules"].add(rule)
        match["members"].update(members)
    return in_order([{"purpose": match["purpose"],
                      "quality": "EXACT" if "bsn" in match["rules"] else "STRONG",
                      "rules": sorted(match["rules"]),
                      "partners": sorted({signals[number][0] for number in match["members"]}),
                      "signals": [{"partner": signals[number][0], "client_ref": signals[number][1]["client_ref"],
                                   "category": signals[number][1]["category"]} for number in match["members"]]}
                     for match in matches.values()])


def in_order(matches):
    """The same matches in an order that does not depend on ids."""
    by_reference = lambda signal: (signal["partner"], signal["client_ref"])
    for match in matches:
        match["signals"] = sorted(match["signals"], key=by_reference)
    return sorted(matches, key=lambda match: (match["purpose"], [by_reference(signal) for signal in match["signals"]]))
