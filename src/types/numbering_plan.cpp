// Source: the national numbering plans that administrations send to the ITU (E.164, Operational
// Bulletin), calling codes from its list of E.164 country codes, Ofcom's of the islands with +44,
// and the area codes of the North American Numbering Plan Administrator. As of 2026-11; numbers of
// persons and firms, with few of those for services.
#include "types/numbering_plan.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

// clang-format off

/// Every calling code, once. The country is the one that has most of its numbers.
constexpr auto numbering_plans = std::to_array<NumberingPlan>({
    // North America: whose a number is, its area code says.
    {"",   "1",   "- 1",        "011",         "2-9:10"},

    // Europe
    {"AD", "376", "",           "00",          "1:8 6:6,9 2-5,7-9:6"},
    {"AL", "355", "0",          "00",          "6:9 2-5:8 7-9:6-8"},
    {"AT", "43",  "0",          "00",          "662:7-11 65-9:9-13 720:9-13 1:7-12 2-9:7-11"},
    {"BA", "387", "0",          "00",          "6:8-9 2-5,7-9:8"},
    {"BE", "32",  "0",          "00",          "45-9:9 1-9:8"},
    {"BG", "359", "0",          "00",          "87-9,98-9:8-9 2:7-8 3-9:7-9"},
    {"BY", "375", "80 8 0",     "810",         "1-4:9 5-9:9-10"},
    {"CH", "41",  "0",          "00",          "1-9:9"},
    {"CY", "357", "",           "00",          "2-9:8"},
    {"CZ", "420", "",           "00",          "2-9:9"},
    {"DE", "49",  "0",          "00",          "15:11 16-7:10-11 1:9-11 2-9:6-11"},
    {"DK", "45",  "",           "00",          "2-9:8"},
    {"EE", "372", "",           "00",          "5:7-8 8:7-10 70:8 3-7:7"},
    {"ES", "34",  "",           "00",          "5-9:9"},
    {"FI", "358", "0",          "00",          "4,50:6-10 1-9:5-10"},
    {"FO", "298", "",           "00",          "2-9:6"},
    {"FR", "33",  "0",          "00",          "1-9:9"},
    {"GB", "44",  "0",          "00",          "8:7,9-10 1:9-10 2-3,5,7,9:10"},
    {"GI", "350", "",           "00",          "2-9:8"},
    {"GL", "299", "",           "00",          "2-9:6"},
    {"GR", "30",  "",           "00",          "2-9:10"},
    {"HR", "385", "0",          "00",          "1:8 6-7:8-9 8:7-9 2-9:8-9"},
    {"HU", "36",  "06",         "00",          "20-1,30-1,38,50,70-1:9 1-9:8"},
    {"IE", "353", "0",          "00",          "1800,1850,1890:10 1:8 8:9-10 2,4-7,9:7-9"},
    {"IS", "354", "",           "00",          "3:9 4-9:7"},
    {"IT", "39",  "",           "00",          "0:6-11 3:9-10 5:10 8:6-10"},
    {"LI", "423", "",           "00",          "6:7,9 2-9:7"},
    {"LT", "370", "0 8",        "00",          "3-9:8"},
    {"LU", "352", "",           "00",          "6:9 2-5,7-9:4-11"},
    {"LV", "371", "",           "00",          "2-9:8"},
    {"MC", "377", "- 0",        "00",          "6:8-9 3-5,7-9:8"},
    {"MD", "373", "0",          "00",          "2-9:8"},
    {"ME", "382", "0",          "00",          "6:8-9 2-9:8"},
    {"MK", "389", "0",          "00",          "2-8:8"},
    {"MT", "356", "",           "00",          "2-9:8"},
    {"NL", "31",  "0",          "00",          "80,90:7-10 97:11 1-9:9"},
    {"NO", "47",  "",           "00",          "2-9:8"},
    {"PL", "48",  "- 0",        "00",          "1-9:9"},
    {"PT", "351", "",           "00",          "2-9:9"},
    {"RO", "40",  "0",          "00",          "2-9:9"},
    {"RS", "381", "0",          "00",          "6:8-10 1-3:7-9 7-9:6-9"},
    {"RU", "7",   "8",          "810",         "3-9:10"},
    {"SE", "46",  "0",          "00",          "20:6-9 7:9 1-9:7-9"},
    {"SI", "386", "0",          "00",          "80,90:6-8 1-9:8"},
    {"SK", "421", "0",          "00",          "2-9:9"},
    {"SM", "378", "",           "00",          "0549:10 5-9:6-8"},
    {"UA", "380", "0 80",       "00",          "3-9:9"},
    {"XK", "383", "0",          "00",          "2-9:8"},

    // Asia
    {"AE", "971", "0",          "00",          "5,600:9 800:5-9 2-4,6-9:8"},
    {"AF", "93",  "0",          "00",          "2-7:9"},
    {"AM", "374", "0",          "00",          "1-9:8"},
    {"AZ", "994", "0",          "00",          "1-9:9"},
    {"BD", "880", "0",          "00",          "1:10 2-9:6-10"},
    {"BH", "973", "",           "00",          "1-9:8"},
    {"BN", "673", "",           "00",          "2-8:7"},
    {"BT", "975", "",           "00",          "1,77:8 2-8:7"},
    {"CN", "86",  "0",          "00",          "400,800:10 10,2:10 1:11 3-9:10-11"},
    {"GE", "995", "0",          "00",          "3-8:9"},
    {"HK", "852", "",           "001",         "800:9 2-9:8"},
    {"ID", "62",  "0",          "001 007 008", "8:9-12 2-7,9:7-11"},
    {"IL", "972", "0",          "00 012 013 014 018", "1:10 5,7:9 2-4,8-9:8"},
    {"IN", "91",  "0",          "00",          "1800,1860:10-11 1-9:10"},
    {"IQ", "964", "0",          "00",          "7:10 1-6:8-9"},
    {"IR", "98",  "0",          "00",          "1-9:10"},
    {"JO", "962", "0",          "00",          "7:9 2-6,8-9:8"},
    {"JP", "81",  "0",          "010",         "20,50,60,70,80,90:10 1-9:9"},
    {"KG", "996", "0",          "00",          "2-9:9"},
    {"KH", "855", "0",          "001 007 008", "1-9:8-9"},
    {"KP", "850", "",           "00",          ""},
    {"KR", "82",  "0",          "001 002 005 006 007", "10:10 15-6,18:8-10 1:9-10 2:8-9 5:10-11 3-8:9-10"},
    {"KW", "965", "",           "00",          "1:7 2-9:8"},
    {"LA", "856", "0",          "00",          "20:10 30:9 2-8:8"},
    {"LB", "961", "0",          "00",          "7-8:7-8 1-6,9:7"},
    {"LK", "94",  "0",          "00",          "1-9:9"},
    {"MM", "95",  "0",          "00",          "9:8-10 1-8:6-9"},
    {"MN", "976", "- 0",        "001 00",      "1-2:7-10 3-9:8"},
    {"MO", "853", "",           "00",          "2-9:8"},
    {"MV", "960", "",           "00",          "3-9:7"},
    {"MY", "60",  "0",          "00",          "1300,1800:10 11,15:10 1:9 3:9 4-9:8"},
    {"NP", "977", "0",          "00",          "96-8:10 1-9:8"},
    {"OM", "968", "",           "00",          "8:7-9 2,7,9:8"},
    {"PH", "63",  "0",          "00",          "9:10 2-8:9"},
    {"PK", "92",  "0",          "00",          "3:10 2,4-9:8-10"},
    {"PS", "970", "0",          "00",          "1:10 5:9 2-4,8-9:8"},
    {"QA", "974", "",           "00",          "2-8:8"},
    {"SA", "966", "0",          "00",          "8:10 1,5,9:9"},
    {"SG", "65",  "",           "001 002 008", "1800:11 800:10 3,6,8-9:8"},
    {"SY", "963", "0",          "00",          "9:9 1-5:8-9"},
    {"TH", "66",  "0",          "001",         "6,8-9:9 2-5,7:8 1:10"},
    {"TJ", "992", "- 8",        "810 00",      "0-9:9"},
    {"TL", "670", "",           "00",          "7:8 2-4,8-9:7"},
    {"TM", "993", "8",          "810",         "1-7:8"},
    {"TR", "90",  "0",          "00",          "444:7,10 2-5,8-9:10"},
    {"TW", "886", "0",          "002",         "9,2:9 3-8:7-9"},
    {"UZ", "998", "- 8",        "00 810",      "2-9:9"},
    {"VN", "84",  "0",          "00",          "2:10 1:8-10 3-9:9"},
    {"YE", "967", "0",          "00",          "7:9 1-6:7-8"},

    // Oceania
    {"AU", "61",  "0",          "0011",        "1300,1800,190:10 13:6 14,2-5,7-8:9"},
    {"CK", "682", "",           "00",          ""},
    {"FJ", "679", "",           "00",          "2-9:7"},
    {"FM", "691", "",           "00",          ""},
    {"KI", "686", "",           "00",          ""},
    {"MH", "692", "",           "011",         ""},
    {"NC", "687", "",           "00",          "2-9:6"},
    {"NF", "672", "",           "00",          ""},
    {"NR", "674", "",           "00",          ""},
    {"NU", "683", "",           "00",          ""},
    {"NZ", "64",  "0",          "00",          "2,80:8-10 50:9 3-4,6-7,9:8"},
    {"PF", "689", "",           "00",          ""},
    {"PG", "675", "",           "00",          "7-8:8 1-6,9:7"},
    {"PW", "680", "",           "011",         ""},
    {"SB", "677", "",           "00",          ""},
    {"TK", "690", "",           "00",          ""},
    {"TO", "676", "",           "00",          ""},
    {"TV", "688", "",           "00",          ""},
    {"VU", "678", "",           "00",          ""},
    {"WF", "681", "",           "00",          ""},
    {"WS", "685", "",           "0",           ""},

    // Africa
    {"AC", "247", "",           "00",          ""},
    {"AO", "244", "",           "00",          "2,9:9"},
    {"BF", "226", "",           "00",          "0,2-7:8"},
    {"BI", "257", "",           "00",          "2-9:8"},
    {"BJ", "229", "",           "00",          "01:10"},
    {"BW", "267", "",           "00",          "7:8 800:10 2-6,8-9:7"},
    {"CD", "243", "0",          "00",          "8-9:9 1-7:7-9"},
    {"CF", "236", "",           "00",          "2-8:8"},
    {"CG", "242", "",           "00",          "0,2,8:9"},
    {"CI", "225", "",           "00",          "0,2:10"},
    {"CM", "237", "",           "00",          "2,6:9 8:8-9"},
    {"CV", "238", "",           "0",           "2-9:7"},
    {"DJ", "253", "",           "00",          "2,7:8"},
    {"DZ", "213", "0",          "00",          "1:8-9 5-9:9 2-4:8"},
    {"EG", "20",  "0",          "00",          "1:9-10 2:9 3:8 800:10 4-9:8-9"},
    {"ER", "291", "0",          "00",          "1,7-8:7"},
    {"ET", "251", "0",          "00",          "1-9:9"},
    {"GA", "241", "- 0",        "00",          "1,6-7:8"},
    {"GH", "233", "0",          "00",          "2-5:9 8:8"},
    {"GM", "220", "",           "00",          "2-9:7"},
    {"GN", "224", "",           "00",          "6-7:9 3:8"},
    {"GQ", "240", "",           "00",          "2-9:9"},
    {"GW", "245", "",           "00",          "9:9 4:9"},
    {"IO", "246", "",           "00",          ""},
    {"KE", "254", "0",          "000",         "1,7-9:9-10 2,4-6:7-9"},
    {"KM", "269", "",           "00",          "3-8:7"},
    {"LR", "231", "0",          "00",          "2-9:7-9"},
    {"LS", "266", "",           "00",          "2-8:8"},
    {"LY", "218", "0",          "00",          "9:9 2-8:8-9"},
    {"MA", "212", "0",          "00",          "5-8:9"},
    {"MG", "261", "0",          "00",          "2-3:9"},
    {"ML", "223", "",           "00",          "2-9:8"},
    {"MR", "222", "",           "00",          "2-4:8"},
    {"MU", "230", "",           "020",         "5,7:8 2-9:7"},
    {"MW", "265", "0",          "00",          "1:7 3:8 2,7-9:9"},
    {"MZ", "258", "",           "00",          "8:9 2:8"},
    {"NA", "264", "0",          "00",          "8:9 6:7-9"},
    {"NE", "227", "",           "00",          "08:8 2-9:8"},
    {"NG", "234", "0",          "009 00",      "70,80-1,90-1:10 1-9:7-10"},
    {"RE", "262", "0",          "00",          "2,6,8-9:9"},
    {"RW", "250", "0",          "00",          "2,7-9:9"},
    {"SC", "248", "",           "00",          "2-9:7"},
    {"SD", "249", "0",          "00",          "1,9:9"},
    {"SH", "290", "",           "00",          ""},
    {"SL", "232", "0",          "00",          "2-9:8"},
    {"SN", "221", "",           "00",          "3-9:9"},
    {"SO", "252", "0",          "00",          "1-9:6-9"},
    {"SS", "211", "0",          "00",          "1,9:9"},
    {"ST", "239", "",           "00",          "2,9:7"},
    {"SZ", "268", "",           "00",          "2,7-9:8"},
    {"TD", "235", "",           "00",          "2-9:8"},
    {"TG", "228", "",           "00",          "2-9:8"},
    {"TN", "216", "",           "00",          "2-9:8"},
    {"TZ", "255", "0",          "000",         "2-9:9"},
    {"UG", "256", "0",          "000",         "2-9:9"},
    {"ZA", "27",  "0",          "00",          "1-9:9"},
    {"ZM", "260", "0",          "00",          "2-9:9"},
    {"ZW", "263", "0",          "00",          "71,73,77-8:9 86:10 1-9:5-10"},

    // Latin America and the Caribbean
    {"AR", "54",  "0",          "00",          "9:11 11,2-3,6,8:10"},
    {"AW", "297", "",           "00",          "2-9:7"},
    {"BO", "591", "- 0",        "00",          "2-4,6-8:8"},
    {"BR", "55",  "0",          "00",          "11-9,21-9,31-9,41-9,51-9,61-9,71-9,81-9,91-9:10-11"},
    {"BZ", "501", "",           "00",          "2-8:7"},
    {"CL", "56",  "- 0",        "00",          "2-9:9"},
    {"CO", "57",  "",           "00",          "3,6:10 1800:11"},
    {"CR", "506", "",           "00",          "800,9:10 2-8:8"},
    {"CU", "53",  "- 0",        "119",         "5-8:8 2-4:6-8"},
    {"CW", "599", "",           "00",          "9:7-8 3-8:7"},
    {"EC", "593", "0",          "00",          "9:9 2-7:8 18:10-11"},
    {"FK", "500", "",           "00",          "2-7:5"},
    {"GF", "594", "0",          "00",          "5-9:9"},
    {"GP", "590", "0",          "00",          "5-9:9"},
    {"GT", "502", "",           "00",          "1:11 2-8:8"},
    {"GY", "592", "",           "001",         "2-9:7"},
    {"HN", "504", "",           "00",          "2-9:8"},
    {"HT", "509", "",           "00",          "2-9:8"},
    {"MQ", "596", "0",          "00",          "5-9:9"},
    {"MX", "52",  "- 01 044 045", "00",        "2-9:10"},
    {"NI", "505", "",           "00",          "1-8:8"},
    {"PA", "507", "",           "00",          "6:8 800:7-11 1-9:7"},
    {"PE", "51",  "- 0",        "00",          "9:9 1,4-8:8"},
    {"PM", "508", "- 0",        "00",          "4-5:6 7-9:9"},
    {"PY", "595", "0",          "00",          "9:9 2-8:7-9"},
    {"SR", "597", "",           "00",          "6-8:7 2-5:6-7"},
    {"SV", "503", "",           "00",          "2-7:8 8-9:7-11"},
    {"UY", "598", "- 0",        "00",          "2-9:8"},
    {"VE", "58",  "0",          "00",          "2-9:10"},

    // No country's: freephone and shared cost across borders, satellites, networks of several countries.
    {"",   "800", "",           "",            ""},
    {"",   "808", "",           "",            ""},
    {"",   "870", "",           "",            ""},
    {"",   "878", "",           "",            ""},
    {"",   "881", "",           "",            ""},
    {"",   "882", "",           "",            ""},
    {"",   "883", "",           "",            ""},
    {"",   "888", "",           "",            ""},
    {"",   "979", "",           "",            ""},
});

/// A country among those that share a calling code.
struct SharedCode {
    std::string_view country;
    std::string_view code;
    /// Of its national numbers, written as in NumberingPlan::numbers. Empty: none of its own.
    std::string_view beginnings;
};

constexpr auto shared_codes = std::to_array<SharedCode>({
    {"US", "1",
     "201-3,205-9,210,212-9,220,223-5,227-9,231,234-5,239,240,248,251-4,256,260,262,267,269,270,272,274,276,279,"
     "281,283,301-5,307-9,310,312-9,320-1,323-7,329,330-2,334,336-7,339,341,346-7,350-3,357,360-1,363-4,369,380,"
     "385-6,401-2,404-9,410,412-5,417,419,423-5,430,432,434-6,440,442-3,445,447-8,457-8,463-4,469,470-2,475,"
     "478-9,480,483-4,501-5,507-9,510,512-3,515-8,520,530-1,534,539,540-1,551,557,559,561-5,567,570-5,580,582,"
     "585-6,601-3,605-9,610,612,614-9,620-1,623-4,626,628-9,630-1,636,640-1,645-6,650-1,656-7,659,660-2,667,"
     "669,678-9,680-2,686,689,701-4,706-8,712-9,720,724-9,730-2,734,737-8,740,743,747-8,754,757,760-3,765,769,"
     "770-5,779,781,785-6,801-6,808,810,812-8,820-1,826,828,830-2,835,837-9,840,843,845,847-8,850,854,856-9,"
     "860-5,870,872,878,901,903-4,906-9,910,912-9,920,924-5,928-9,930-1,934,936-8,940-1,943,945,947-9,951-2,954,"
     "956,959,970-3,975,978-9,980,983-6,989"},
    {"CA", "1",
     "204,226,236,249,250,257,263,289,306,343,354,365,367-8,382,387,403,416,418,428,431,437-8,450,460,468,474,"
     "506,514,519,537,548,568,579,581,584,587,604,613,639,647,672,683,705,709,742,753,778,780,782,807,819,825,"
     "867,873,879,902,905,942"},
    {"AG", "1", "268"},
    {"AI", "1", "264"},
    {"AS", "1", "684"},
    {"BB", "1", "246"},
    {"BM", "1", "441"},
    {"BS", "1", "242"},
    {"DM", "1", "767"},
    {"DO", "1", "809,829,849"},
    {"GD", "1", "473"},
    {"GU", "1", "671"},
    {"JM", "1", "658,876"},
    {"KN", "1", "869"},
    {"KY", "1", "345"},
    {"LC", "1", "758"},
    {"MP", "1", "670"},
    {"MS", "1", "664"},
    {"PR", "1", "787,939"},
    {"SX", "1", "721"},
    {"TC", "1", "649"},
    {"TT", "1", "868"},
    {"VC", "1", "784"},
    {"VG", "1", "284"},
    {"VI", "1", "340"},
    {"KZ", "7", "6,7"},
    {"VA", "39", "06698"},
    {"GG", "44", "1481,7781,7839"},
    {"JE", "44", "1534,7509,7797,7829,7937"},
    {"IM", "44", "1624,7524,7624,7924"},
    {"SJ", "47", "79"},
    {"CX", "61", "89164"},
    {"CC", "61", "89162"},
    {"EH", "212", "5288,5289"},
    {"YT", "262", "269,639"},
    {"AX", "358", "18"},
    {"TA", "290", "8"},
    {"AQ", "672", ""},
    {"BL", "590", ""},
    {"MF", "590", ""},
    {"GS", "500", ""},
    {"PN", "64", ""},
    {"BQ", "599", "3,4,7"},
});

// clang-format on

/// The area codes of freephone numbers of North America: no country's.
constexpr std::string_view freephone_of_north_america = "800,833,844,855,866,877,888";

constexpr bool begins_as(std::string_view digits, std::string_view beginning) noexcept {
    if (beginning.size() < 3 || beginning[beginning.size() - 2] != '-') {
        return digits.starts_with(beginning);
    }
    const auto common = beginning.substr(0, beginning.size() - 3);
    if (digits.size() <= common.size() || !digits.starts_with(common)) return false;
    const char digit = digits[common.size()];
    return digit >= beginning[common.size()] && digit <= beginning.back();
}

constexpr bool begins_as_one_of(std::string_view digits, std::string_view beginnings) noexcept {
    while (!beginnings.empty()) {
        if (begins_as(digits, take_piece(beginnings, ','))) return true;
    }
    return false;
}

constexpr std::size_t value_of_digits(std::string_view digits) noexcept {
    std::size_t number = 0;
    for (const char digit : digits) number = number * 10 + static_cast<std::size_t>(digit - '0');
    return number;
}

constexpr PlanFit compare_length(std::size_t length, std::string_view lengths) noexcept {
    bool longer = false;
    bool shorter = false;
    while (!lengths.empty()) {
        auto range = take_piece(lengths, ',');
        const auto least = value_of_digits(take_piece(range, '-'));
        const auto most = range.empty() ? least : value_of_digits(range);
        if (length >= least && length <= most) return PlanFit::fits;
        (length < least ? shorter : longer) = true;
    }
    if (longer && shorter) return PlanFit::other_length;
    return longer ? PlanFit::too_long : PlanFit::too_short;
}

/// An area code that was given to no country is possible, since new ones come each year; not these:
/// the second digit 9 and 11 are kept for other uses, and an exchange begins as an area code does.
constexpr bool is_possible_in_north_america(std::string_view national) noexcept {
    return national[1] != '9' && national.substr(1, 2) != "11" && national[3] >= '2';
}

// ---- The tables are held to what they say of themselves.

constexpr bool all_digits(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

constexpr bool is_beginning(std::string_view text) noexcept {
    if (all_digits(text)) return true;
    const auto dash = text.size() < 3 ? std::string_view::npos : text.size() - 2;
    return dash != std::string_view::npos && text[dash] == '-' &&
           all_digits(text.substr(0, dash)) && is_digit(text.back()) &&
           text[dash - 1] < text.back();
}

constexpr bool are_beginnings(std::string_view list) noexcept {
    if (list.empty()) return false;
    while (!list.empty()) {
        if (!is_beginning(take_piece(list, ','))) return false;
    }
    return true;
}

constexpr bool are_lengths(std::string_view list) noexcept {
    if (list.empty()) return false;
    while (!list.empty()) {
        auto range = take_piece(list, ',');
        const auto least = take_piece(range, '-');
        if (!all_digits(least) || value_of_digits(least) < 4 || value_of_digits(least) > 14)
            return false;
        if (range.empty()) continue;
        if (!all_digits(range) || value_of_digits(range) <= value_of_digits(least)) return false;
        if (value_of_digits(range) > 14) return false;
    }
    return true;
}

constexpr bool are_numbers(std::string_view rules) noexcept {
    while (!rules.empty()) {
        auto rule = take_piece(rules, ' ');
        if (!are_beginnings(take_piece(rule, ':')) || !are_lengths(rule)) return false;
    }
    return true;
}

constexpr bool are_prefixes(std::string_view list) noexcept {
    while (!list.empty()) {
        const auto prefix = take_piece(list, ' ');
        if (prefix != "-" && !all_digits(prefix)) return false;
    }
    return true;
}

/// Where the plan of a calling code stands, counted from 1; 0 where there is none.
constexpr auto plans_by_code = [] {
    std::array<unsigned char, 1000> index{};
    for (std::size_t i = 0; i < numbering_plans.size(); ++i) {
        index[value_of_digits(numbering_plans[i].code)] = static_cast<unsigned char>(i + 1);
    }
    return index;
}();
static_assert(numbering_plans.size() < 256);

constexpr bool is_calling_code(std::string_view code) noexcept {
    return all_digits(code) && code.size() <= 3 && code.front() != '0';
}

/// Whether no calling code stands twice, or is the beginning of another.
constexpr bool calling_codes_differ() noexcept {
    for (std::size_t i = 0; i < numbering_plans.size(); ++i) {
        const auto code = numbering_plans[i].code;
        if (!is_calling_code(code) || plans_by_code[value_of_digits(code)] != i + 1) return false;
        for (std::size_t size = 1; size < code.size(); ++size) {
            if (plans_by_code[value_of_digits(code.substr(0, size))] != 0) return false;
        }
    }
    return true;
}
static_assert(calling_codes_differ());

static_assert(std::all_of(numbering_plans.begin(), numbering_plans.end(), [](const auto& plan) {
    return are_prefixes(plan.trunk) && are_prefixes(plan.international) &&
           are_numbers(plan.numbers);
}));
static_assert(std::all_of(shared_codes.begin(), shared_codes.end(), [](const auto& shared) {
    return shared.country.size() == 2 &&
           (shared.beginnings.empty() || are_beginnings(shared.beginnings));
}));

const NumberingPlan* plan_of_code(std::string_view code) noexcept {
    if (!all_digits(code)) return nullptr;
    const auto found = plans_by_code[value_of_digits(code)];
    return found == 0 ? nullptr : &numbering_plans[found - 1u];
}

}  // namespace

const NumberingPlan* plan_of_country(std::string_view country) noexcept {
    if (country.empty()) return nullptr;
    for (const auto& plan : numbering_plans) {
        if (plan.country == country) return &plan;
    }
    for (const auto& shared : shared_codes) {
        if (shared.country == country) return plan_of_code(shared.code);
    }
    return nullptr;
}

const NumberingPlan* plan_of_number(std::string_view digits) noexcept {
    if (digits.starts_with('0')) return nullptr;
    for (std::size_t size = 1; size <= 3 && size <= digits.size(); ++size) {
        const auto* const plan = plan_of_code(digits.substr(0, size));
        if (plan != nullptr) return plan;
    }
    return nullptr;
}

PlanFit compare_with_plan(const NumberingPlan& plan, std::string_view national) noexcept {
    auto rules = plan.numbers;
    while (!rules.empty()) {
        auto lengths = take_piece(rules, ' ');
        if (!begins_as_one_of(national, take_piece(lengths, ':'))) continue;
        const auto fit = compare_length(national.size(), lengths);
        const bool impossible =
            fit == PlanFit::fits && plan.code == "1" && !is_possible_in_north_america(national);
        return impossible ? PlanFit::no_such_beginning : fit;
    }
    return PlanFit::no_such_beginning;
}

std::string_view country_of_national(const NumberingPlan& plan,
                                     std::string_view national) noexcept {
    for (const auto& shared : shared_codes) {
        if (shared.code == plan.code && begins_as_one_of(national, shared.beginnings)) {
            return shared.country;
        }
    }
    return plan.country;
}

bool has_unknown_area(const NumberingPlan& plan, std::string_view national) noexcept {
    return plan.code == "1" && country_of_national(plan, national).empty() &&
           !begins_as_one_of(national, freephone_of_north_america);
}

std::string_view country_of_e164(std::string_view number) noexcept {
    if (!number.starts_with('+')) return {};
    number.remove_prefix(1);
    const auto* const plan = plan_of_number(number);
    return plan == nullptr ? std::string_view{}
                           : country_of_national(*plan, number.substr(plan->code.size()));
}

std::string_view calling_code_of_e164(std::string_view number) noexcept {
    if (!number.starts_with('+')) return {};
    const auto* const plan = plan_of_number(number.substr(1));
    return plan == nullptr ? std::string_view{} : plan->code;
}

std::string_view known_country(std::string_view country) noexcept {
    for (const auto& plan : numbering_plans) {
        if (!plan.country.empty() && equals_ignoring_case(plan.country, country)) {
            return plan.country;
        }
    }
    for (const auto& shared : shared_codes) {
        if (equals_ignoring_case(shared.country, country)) return shared.country;
    }
    return {};
}

}  // namespace twiliowa::detail
