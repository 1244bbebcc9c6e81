#!/usr/bin/env python3
"""Writes fold_vectors.txt: names and their folding by recipe 1, computed with Python's unicodedata (docs/format/normalisation.md)."""
import random
import unicodedata


def fold(text):
    decomposed = unicodedata.normalize("NFKD", text)
    letters = "".join(c for c in decomposed
                      if unicodedata.category(c).startswith("L") and not 0x02B0 <= ord(c) <= 0x02FF)
    return unicodedata.normalize("NFC", letters.casefold())


NAMES = """Käster Jansen-de|Vries O'Neill O’Neill OʼNeill Strauß STRAUẞ IJsselstein Ĳsselstein ĳsselstein Ÿnsen Łukasz Sørensen
Đorđević Nguyễn Škvorecký Ångström Ağaoğlu İnönü ILGIN Ünal Çelik Şahin El|Idrissi Benaïssa Ærø Œuvré Þórður Ñúñez Güğük
Σίσυφος ΣΙΣΥΦΟΣ Иванов Щербаков Їжакевич 李 王小明 김민준 さくら がぎ محمد אברהם Ťažký Žižka D’Arc van|'t|Hof Ødegård Ｊａｎｓｅｎ
ŉkosi ǰones ﬁscher ẚ Ⅳ Dvořák Bǎsescu Țepeş Çağlar Özdemir Öz-Yıldız Yıldız Mbappé N'Golo Aït-Ali Noël Zoë Renée""".split()


def main():
    rng = random.Random(1)
    given = [name.replace("|", " ") for name in NAMES]
    # Blocks that both table versions know completely: Latin, Greek, Cyrillic, Hebrew, Arabic.
    pool = [c for c in list(range(0x20, 0x250)) + list(range(0x370, 0x530)) + list(range(0x5D0, 0x5EB)) +
            list(range(0x620, 0x64B)) + list(range(0x1E00, 0x2000)) if unicodedata.category(chr(c)) != "Cn"]
    given += ["".join(chr(rng.choice(pool)) for _ in range(rng.randint(1, 12))) for _ in range(600)]
    print("# name and its folding, UTF-8 in hexadecimal; made by fold_vectors.py with Unicode", unicodedata.unidata_version)
    for name in given:
        print(name.encode().hex(), fold(name).encode().hex())


main()
