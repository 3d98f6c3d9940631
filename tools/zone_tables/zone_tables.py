#!/usr/bin/env python3
"""Writes src/campaign/zone_tables.cpp: which time zones a phone number's first digits stand for.

    tools/zone_tables/zone_tables.py [zone.tab]

From zone.tab of the time zone database (public domain; default: the system's), which has the zones of each country, and
the two tables beside this script: calling_codes.csv and nanp_area_codes.csv. Where a region keeps several times, it gets all
of them: quiet hours then hold in each. Run it when one of them changes, and look at the difference.
"""

import csv
import os
import re
import sys

here = os.path.dirname(os.path.abspath(__file__))
zone_tab = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/zoneinfo/zone.tab"

# NANPA's letters, and where a state's own zone is a better name than the one that they stand for.
usual = {"E": "America/New_York", "C": "America/Chicago", "M": "America/Denver", "P": "America/Los_Angeles"}
of_state = {
    "AZ": {"M": "America/Phoenix"},
    "ID": {"M": "America/Boise"},
    "IN": {"E": "America/Indiana/Indianapolis"},
    "KY": {"E": "America/Kentucky/Louisville"},
    "MI": {"E": "America/Detroit", "C": "America/Menominee"},
    "OR": {"M": "America/Boise"},
}
# Whole regions whose letters are not enough.
of_region = {
    "AK": "America/Anchorage America/Juneau America/Sitka America/Metlakatla America/Yakutat America/Nome America/Adak",
    "HI": "Pacific/Honolulu",
    "ALBERTA": "America/Edmonton",
    "BRITISH COLUMBIA": "America/Vancouver America/Dawson_Creek America/Fort_Nelson America/Creston America/Edmonton",
    "MANITOBA": "America/Winnipeg",
    "NEW BRUNSWICK": "America/Moncton",
    "NEWFOUNDLAND AND LABRADOR": "America/St_Johns America/Goose_Bay",
    "NORTHWEST TERRITORIES -YUKON - NUNAVUT":
        "America/Iqaluit America/Atikokan America/Resolute America/Rankin_Inlet America/Cambridge_Bay America/Inuvik "
        "America/Edmonton America/Whitehorse America/Dawson",
    "NOVA SCOTIA - PRINCE EDWARD ISLAND": "America/Halifax America/Glace_Bay",
    "ONTARIO": "America/Toronto",
    "QUEBEC": "America/Toronto",
    "SASKATCHEWAN": "America/Regina America/Swift_Current America/Edmonton",
}
# Codes of which a part keeps another time than NANPA's letters say: the Navajo Nation, Ontario's northwest, Quebec's
# Lower North Shore and Magdalen Islands (with the overlays of these codes).
more = {
    "928": "America/Denver",
    "807": "America/Atikokan America/Winnipeg",
    "418": "America/Blanc-Sablon America/Halifax",
}
country_of = {
    "ANGUILLA": "AI", "ANTIGUA/BARBUDA": "AG", "BAHAMAS": "BS", "BARBADOS": "BB", "BERMUDA": "BM",
    "BRITISH VIRGIN ISLANDS": "VG", "CAYMAN ISLANDS": "KY", "DOMINICA": "DM", "DOMINICAN REPUBLIC": "DO",
    "GRENADA": "GD", "JAMAICA": "JM", "MONTSERRAT": "MS", "SINT MAARTEN": "SX", "ST. KITTS & NEVIS": "KN",
    "ST. LUCIA": "LC", "ST. VINCENT & GRENADINES": "VC", "TRINIDAD & TOBAGO": "TT", "TURKS & CAICOS ISLANDS": "TC",
}
country_of_state = {"AS": "AS", "CNMI": "MP", "GU": "GU", "PR": "PR", "VI": "VI"}


def rows(name):
    with open(os.path.join(here, name), encoding="ascii") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


zones_of_country = {}
with open(zone_tab, encoding="utf-8") as file:
    text = file.read()
for line in text.splitlines():
    if line and not line.startswith("#"):
        country, _, zone = line.split("\t")[:3]
        zones_of_country.setdefault(country, []).append(zone)


def zones_of_area(row):
    place, country, letters = row["location"], row["country"], row["time_zone"]
    if country not in ("US", "CANADA"):
        return zones_of_country[country_of[country]]
    if place in country_of_state:
        return zones_of_country[country_of_state[place]]
    if place in of_region:
        return of_region[place].split()
    assert re.fullmatch("[ECMP]+", letters), row
    return [of_state.get(place, {}).get(letter, usual[letter]) for letter in letters]


def united(lists):
    return list(dict.fromkeys(zone for zones in lists for zone in zones))


prefixes = {}
for row in rows("calling_codes.csv"):
    prefixes[row["code"]] = united(zones_of_country[country] for country in row["countries"].split())
areas = {row["area_code"]: row for row in rows("nanp_area_codes.csv")}
own = {code: zones_of_area(row) + more.get(code, "").split() for code, row in areas.items()}
for code, row in areas.items():
    # Codes of one area: NANPA does not always give them the same letters.
    overlay = [other for other in row["overlay"].split("/") if other in own and areas[other]["location"] == row["location"]]
    prefixes["1" + code] = united(own[other] for other in [code, *overlay])

with open(os.path.join(here, "nanp_area_codes.csv"), encoding="ascii") as file:
    nanp_date = re.search(r"file date ([0-9-]+)", file.read()).group(1)
output = os.path.join(here, "../../src/campaign/zone_tables.cpp")
with open(output, "w", encoding="ascii") as file:
    file.write(f"""// clang-format off
// Written by tools/zone_tables/zone_tables.py: change its tables, not this file. From zone.tab of the
// time zone database (public domain), and the North American area codes of {nanp_date}.
#include "campaign/zone_tables.hpp"

namespace twiliowa::detail {{

namespace {{

constexpr ZonePrefix all_zone_prefixes[] = {{
""")
    for digits in sorted(prefixes):
        file.write(f'    {{"{digits}", "{" ".join(prefixes[digits])}"}},\n')
    file.write("""};

}  // namespace

std::span<const ZonePrefix> zone_prefixes() noexcept { return all_zone_prefixes; }

}  // namespace twiliowa::detail
""")
missing = sorted(set(zones_of_country) - {country for row in rows("calling_codes.csv") for country in row["countries"].split()}
                 - set(country_of.values()) - set(country_of_state.values()) - {"US", "CA"})
print(f"{len(prefixes)} prefixes; countries of zone.tab without a calling code: {' '.join(missing)}")
