// A file of keys, and what is kept private with it: docs/keys.md.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <twiliowa/state/private_store.hpp>
#include <twiliowa/state/sealer.hpp>

namespace support {

/// Keys may be rotated in the file while the system works.
inline twiliowa::Sealer open_sealer(const std::string& path) {
    return twiliowa::Sealer{[path] { return twiliowa::KeyRing::try_from_file(path); }};
}

/// The key that hashes, for good.
inline std::string oldest_key(const std::string& path) {
    return twiliowa::KeyRing::from_file(path).ids().back();
}

/// No number in its keys, and none in its values.
inline std::shared_ptr<twiliowa::Store> private_store(std::shared_ptr<twiliowa::Store> store,
                                                      const twiliowa::Sealer& sealer,
                                                      const std::string& keys) {
    auto sealed = std::make_shared<twiliowa::SealedStore>(std::move(store), sealer);
    return std::make_shared<twiliowa::HashedStore>(std::move(sealed), sealer, oldest_key(keys));
}

}  // namespace support
