"""People with typed errors: `make.py N FOLDER` writes people.csv (N records of about 0.8 N people, six fields and an id) and delta.csv
(1 % more: half of them new people, half further records of known ones). The id says who it is: p<person>-<record>."""
import random
import sys
from bisect import bisect
from itertools import accumulate
from pathlib import Path

VOWELS, CONSONANTS = "aeiou", "bcdfghjklmnprstvw"


def vocabulary(rng, n, syllables):
    words = set()
    while len(words) < n:
        words.add("".join(rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(rng.choice(syllables))) + rng.choice("nrslt"))
    return sorted(words, key=lambda _: rng.random())


class Zipf:
    """The first word is the commonest, as with names."""

    def __init__(self, words, exponent):
        self.words = words
        self.weights = list(accumulate(1 / (rank + 3) ** exponent for rank in range(len(words))))

    def draw(self, rng):
        return self.words[bisect(self.weights, rng.random() * self.weights[-1])]


def typo(rng, text):
    if len(text) < 2:
        return text
    at = rng.randrange(len(text) - 1)
    letters = "0123456789" if text.isdigit() else "abcdefghijklmnopqrstuvwxyz"
    return rng.choice([
        text[:at] + text[at + 1:],
        text[:at] + rng.choice(letters) + text[at:],
        text[:at] + rng.choice(letters) + text[at + 1:],
        text[:at] + text[at + 1] + text[at] + text[at + 2:],
    ])


def main():
    n, folder = int(sys.argv[1]), Path(sys.argv[2])
    rng = random.Random(7)
    given = Zipf(vocabulary(rng, 3_000, [1, 2, 3]), 0.9)
    surname = Zipf(vocabulary(rng, 40_000, [2, 3]), 0.8)
    city = Zipf(vocabulary(rng, 5_000, [2, 3, 4]), 0.8)
    codes = {}

    def person():
        where = city.draw(rng)
        code = codes.setdefault(where, rng.randrange(1_000, 9_999))
        born = f"{rng.randrange(1930, 2006)}{rng.randrange(1, 13):02}{rng.randrange(1, 29):02}"
        return [given.draw(rng), surname.draw(rng), born, where, str(code), f"{rng.randrange(10**9):09}"]

    def again(values):
        values = list(values)
        for _ in range(rng.choice([0, 1, 1, 2, 2, 3])):
            at = rng.randrange(6)
            values[at] = "" if rng.random() < 0.2 else typo(rng, values[at])
        return values

    people = [person() for _ in range(int(n * 0.8))]
    records = [(f"p{i}-0", values) for i, values in enumerate(people)]
    while len(records) < n:
        i = rng.randrange(len(people))
        records.append((f"p{i}-{len(records)}", again(people[i])))
    rng.shuffle(records)
    delta = []
    for at in range(n // 100):
        i = rng.randrange(len(people)) if at % 2 else n + at
        values = again(people[i]) if at % 2 else person()
        delta.append((f"p{i}-d{at}", values))
    folder.mkdir(parents=True, exist_ok=True)
    header = "id,given_name,surname,date_of_birth,city,postcode,phone\n"
    for name, rows in [("people.csv", records), ("delta.csv", delta)]:
        with open(folder / name, "w") as file:
            file.write(header)
            file.writelines(f"{id_},{','.join(values)}\n" for id_, values in rows)


main()
