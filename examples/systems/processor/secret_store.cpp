#include "secret_store.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>

#include <twiliowa/types/error.hpp>

namespace processor {

namespace wa = twiliowa;

namespace {

/// An id comes from a job: it may not lead out of the folder.
bool is_plain(const std::string& id) {
    return !id.empty() && id.size() <= 100 &&
           std::all_of(id.begin(), id.end(), [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '-' || c == '_';
           });
}

}  // namespace

wa::Result<wa::Secret> FolderSecretStore::get(const std::string& id) {
    std::ifstream file;
    if (is_plain(id)) file.open(folder_ + '/' + id + ".json");
    if (!file.is_open()) {
        return wa::Error{{.kind = wa::ErrorKind::not_found,
                          .effect = wa::Effect::none,
                          .summary = "the secret store has no secret of that id",
                          .field = "whatsapp_credentials_id"}};
    }
    return wa::Secret{std::string{std::istreambuf_iterator<char>{file}, {}}};
}

}  // namespace processor
