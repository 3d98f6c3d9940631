// Where companies' credentials are kept: a folder here, a cloud's secret store elsewhere.
#pragma once

#include <string>

#include <twiliowa/types/result.hpp>
#include <twiliowa/types/secret.hpp>

namespace processor {

class SecretStore {
public:
    virtual ~SecretStore() = default;
    /// The secret of that id as it is now. Kind not_found if there is none of that id.
    virtual twiliowa::Result<twiliowa::Secret> get(const std::string& id) = 0;
};

/// `ID.json` in a folder. Whoever changes one writes a new file and moves it into place.
class FolderSecretStore final : public SecretStore {
public:
    explicit FolderSecretStore(std::string folder) : folder_(std::move(folder)) {}
    twiliowa::Result<twiliowa::Secret> get(const std::string& id) override;

private:
    std::string folder_;
};

}  // namespace processor
