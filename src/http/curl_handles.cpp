#include "http/curl_handles.hpp"

#include <openssl/crypto.h>

#include <cstring>

namespace twiliowa::detail {

void CurlHeadersDeleter::operator()(curl_slist* list) const noexcept {
    for (auto* line = list; line != nullptr; line = line->next) {
        OPENSSL_cleanse(line->data, std::strlen(line->data));
    }
    curl_slist_free_all(list);
}

}  // namespace twiliowa::detail
