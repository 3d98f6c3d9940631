#include "secret_store.hpp"

#include <fstream>
#include <iterator>

#include <twiliowa/types/error.hpp>

#include "support/text.hpp"

namespace processor {

namespace wa = twiliowa;

wa::Result<wa::Secret> FolderSecretStore::get(const std::string& id) {
    std::ifstream file;
    // It comes from a job, and may not lead out of the folder.
    if (support::is_plain_name(id, 100)) file.open(folder_ + '/' + id + ".json");
    if (!file.is_open()) {
        return wa::Error{{.kind = wa::ErrorKind::not_found,
                          .effect = wa::Effect::none,
                          .summary = "the secret store has no secret of that id",
                          .field = "whatsapp_credentials_id"}};
    }
    return wa::Secret{std::string{std::istreambuf_iterator<char>{file}, {}}};
}

}  // namespace processor
