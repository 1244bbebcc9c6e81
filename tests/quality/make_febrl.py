#!/usr/bin/env python3
"""Writes a file in FEBRL's CSV form: made people of Australian sound, with damaged copies, at any size.

For judging whether the rules that were chosen on a small file hold on a large one: accidental pairs grow with the square of
the size. Names are drawn by Zipf's law from the short lists below, which makes accidents likelier than in a country.
"""
import argparse
import csv
import datetime
import random
import sys

GIVEN = """joshua emily jack thomas lachlan william isabella james matthew benjamin samuel chloe jessica nicholas georgia daniel sophie
joseph alexander ryan sarah ethan olivia jake dylan hannah liam luke harrison cooper connor caitlin zachary grace ella jacob madeline
lauren michael charlotte isabelle mitchell lucy hayden tyler riley christopher brianna kate harry zoe samantha andrew amy oliver ruby
max nathan jasmine alyssa callum adam angus aidan caleb jayden david tara madison sienna rachel bailey holly mia lily patrick cameron
charlie jordan stephanie noah kayla blake abbey taylor lewis erin amelia jackson maddison imogen oscar dominic alicia anna henry robert
john sebastian amber kyle kaitlyn finn eliza tahlia claire paige bethany shelby logan molly hugo xavier ben eden phoebe jade brodie
victoria layla gabriella annabelle declan alana tyson kiara bradley isaac indiana ashton poppy edward aaron natalie katherine laura
elizabeth julia mikayla courtney rebecca peter gabriel lara brooke jesse toby nicole ebony sean archie seth nicola simone corey mark
paul anthony trent marcus gemma maya teagan brock summer skye rose april heath kane nathaniel louis felix vincent philippa monique
freya miranda tiana stella leah bianca chelsea damon drew elliot evan flynn giles hamish ivan jai keely lola nina otto quinn rory
stuart tessa una vanessa wade yasmin zara""".split()

SURNAMES = """white clarke green ryan campbell smith webb morrison reid nguyen jones taylor brown williams wilson johnson martin
anderson thompson thomas walker harris lee robinson kelly king davis wright evans roberts jackson edwards turner cook scott young
mitchell allen stewart baker watson adams collins hill murphy bell carter parker phillips miller moore clark rogers cooper hughes
ward richardson bennett wood ross murray morgan bailey gray shaw hunt palmer simpson marshall graham russell hamilton price stevens
fisher gibson mcdonald ford wallace kennedy matthews hall cox foster butler burns fraser grant harvey hart dixon lawrence oconnor
owens sullivan chapman burke barnes henderson fox knight jenkins ellis perry powell long ferguson sutton lloyd davies cameron
mackenzie gordon duncan nicholls barker porter hudson armstrong hayes bradley berry holmes crawford spencer carroll payne stone rice
dean lewis blake pearce fitzgerald walsh byrne brennan dunn nolan doyle quinn whelan egan hogan daly flynn keane lynch barry browne
hawkins may osborne bishop page read sharp sims stokes townsend vaughan weston wilkins yates york abbott archer atkins ball barrett
beck bond boyd brooks bryant burgess carey cole conway craig cross curtis daniels day dawson drew elliott farrell field fleming
fletcher francis french gilbert goodwin griffin griffiths gunn hale hancock harding hicks higgins hobbs holland hooper horton howard
howe hull hutchinson ingram jacobs jennings jordan joyce kemp kerr lamb lane law leach lowe lucas lyons manning marsh mason maxwell
mccarthy mcgrath mckay mckenzie mclean mcmahon mills moran morris morton newman newton nicholson norman norris norton oneill parsons
patterson peters pike poole pope potter pratt quick ramsay randall reed reeves reynolds rhodes richards riley rose rowe sanders
saunders savage sheppard short skinner slater sparks steele stephens summers swan swift tate thornton todd tucker tyler underwood
wade walters warren waters watts wells west wheeler wilkinson winter woods wyatt""".split()

FIELDS = ["rec_id", "given_name", "surname", "street_number", "address_1", "address_2", "suburb", "postcode", "state", "date_of_birth",
          "soc_sec_id"]
# How often a field of a copy is damaged, as counted in a public file of FEBRL's: a slip of the keys, two signs in the wrong
# order, another value altogether, nothing.
DAMAGE = {"given_name": (0.120, 0.023, 0.107, 0.023), "surname": (0.140, 0.047, 0.086, 0.014),
          "street_number": (0.030, 0.015, 0.083, 0.036), "postcode": (0.055, 0.095, 0.017, 0.000),
          "date_of_birth": (0.011, 0.008, 0.042, 0.017), "soc_sec_id": (0.026, 0.027, 0.044, 0.000)}
MISSING = {"given_name": 0.021, "surname": 0.008, "street_number": 0.030, "date_of_birth": 0.022}
NAMES_SWAPPED = 0.043
COPIES = {0: 42, 1: 18, 2: 13, 3: 11, 4: 8, 5: 8}
POSTCODES = 1000
# Where postcodes of a state begin, and its share of the people.
STATES = {2000: 33, 3000: 26, 4000: 19, 5000: 8, 6000: 10, 7000: 4}
STREET_NUMBER = 42
# Flattens Zipf's law until two people share a name about as often as in FEBRL's own files: one pair in 200.
SPREAD = 60


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.given_weights = [1 / (rank + SPREAD) for rank in range(len(GIVEN))]
        self.surname_weights = [1 / (rank + SPREAD) for rank in range(len(SURNAMES))]
        self.postcodes = [code for start, share in STATES.items()
                          for code in self.random.sample(range(start, start + 1000), POSTCODES * share // 100)]

        self.numbers = iter(self.random.sample(range(1000000, 10000000), 1000000))

    def draw(self, field):
        if field == "given_name":
            return self.random.choices(GIVEN, self.given_weights)[0]
        if field == "surname":
            return self.random.choices(SURNAMES, self.surname_weights)[0]
        if field == "street_number":
            return str(1 + int(self.random.expovariate(1 / STREET_NUMBER)))
        if field == "postcode":
            return str(self.random.choice(self.postcodes))
        if field == "date_of_birth":
            born = datetime.date(1900, 1, 1) + datetime.timedelta(days=self.random.randrange(36524))
            return born.strftime("%Y%m%d")
        return str(self.random.randint(1000000, 9999999))

    def person(self):
        person = {field: "" if self.random.random() < MISSING.get(field, 0) else self.draw(field) for field in DAMAGE}
        # No two people have one number; a damaged one may be somebody's.
        person["soc_sec_id"] = str(next(self.numbers))
        return person

    def place(self, length):
        """Errors are made behind the middle of a word more often than at its start."""
        return min(length - 1, max(0, round(self.random.gauss(0.6 * length, 0.22 * length))))

    def slip(self, text):
        at = self.place(len(text))
        alphabet = "0123456789" if text.isdigit() else "abcdefghijklmnopqrstuvwxyz"
        sign = self.random.choice(alphabet)
        # Of a fixed number of digits none is left out.
        way = "replace" if text.isdigit() else self.random.choice(["replace", "insert", "delete"])
        if way == "replace" or len(text) == 1:
            return text[:at] + sign + text[at + 1:]
        return text[:at] + (sign + text[at:] if way == "insert" else text[at + 1:])

    def transpose(self, text):
        if len(text) < 2:
            return text
        at = self.place(len(text) - 1)
        return text[:at] + text[at + 1] + text[at] + text[at + 2:]

    def copy(self, person):
        damaged = dict(person)
        if self.random.random() < NAMES_SWAPPED:
            damaged["given_name"], damaged["surname"] = person["surname"], person["given_name"]
        for field, (slip, transpose, other, missing) in DAMAGE.items():
            if not damaged[field]:
                continue
            way = self.random.random()
            if way < slip:
                damaged[field] = self.slip(damaged[field])
            elif way < slip + transpose:
                damaged[field] = self.transpose(damaged[field])
            elif way < slip + transpose + other:
                damaged[field] = self.draw(field)
            elif way < slip + transpose + other + missing:
                damaged[field] = ""
        return damaged

    def rows(self, originals):
        for number in range(originals):
            person = self.person()
            yield self.row(f"rec-{number}-org", person)
            for copy in range(self.random.choices(list(COPIES), list(COPIES.values()))[0]):
                yield self.row(f"rec-{number}-dup-{copy}", self.copy(person))

    @staticmethod
    def row(rec_id, fields):
        return {"rec_id": rec_id, "address_1": "", "address_2": "", "suburb": "", "state": "", **fields}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--originals", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    writer = csv.DictWriter(sys.stdout, FIELDS, lineterminator="\n")
    writer.writeheader()
    for row in Maker(options.seed).rows(options.originals):
        writer.writerow(row)


if __name__ == "__main__":
    main()
