// Key rings and sealed texts: what is read as a ring is written as the same ring; nothing opens but
// what was sealed, and that not once it is altered.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <twiliowa/state/sealer.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace twiliowa;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto require = [](bool good) {
        if (!good) std::abort();
    };
    static const Sealer sealer{
        KeyRing::parse("new:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
                       "2026:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAP8=")};

    if (const auto ring = KeyRing::try_parse(text)) {
        const auto written = ring->to_text();
        const auto again = KeyRing::parse(written.reveal());
        require(again.ids() == ring->ids() && again.to_text().reveal() == written.reveal());
    }

    // The corpus has a text that opens.
    const auto opened = sealer.open(text, "row");
    require(!opened || (Sealer::is_sealed(text) && Sealer::key_id_of(text)));
    require(!Sealer::is_sealed(text) || Sealer::key_id_of(text));
    require(sealer.made_with_newest(text).has_value());

    auto sealed = sealer.seal(text, "row").value();
    require(Sealer::is_sealed(sealed) && sealer.open(sealed, "row").value() == text);
    require(!sealer.open(sealed, text).has_value() || text == "row");
    if (size < 2) return 0;
    auto& altered = sealed[(std::size_t{data[0]} << 8U | data[1]) % sealed.size()];
    altered = static_cast<char>(static_cast<unsigned char>(altered) ^ (data[1] | 1U));
    require(!sealer.open(sealed, "row").has_value());
    return 0;
}
