// From process start to the first message, with libcurl alone: start_bare <ca file> <base URL>
// Nothing of the library is linked; the request is spelt out.
#include <cstddef>
#include <string>

#include <curl/curl.h>

namespace {

std::size_t discard(char*, std::size_t size, std::size_t count, void*) {
    return size * count;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL* const handle = curl_easy_init();
    const std::string url = std::string(argv[2]) +
                            "/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json";
    const std::string body =
        "To=whatsapp%3A%2B447700900123&From=whatsapp%3A%2B14155238886"
        "&ContentSid=HX00000000000000000000000000000001"
        "&ContentVariables=%7B%221%22%3A%22Lee%22%2C%222%22%3A%22A-1042%22%7D";
    curl_slist* headers = curl_slist_append(nullptr, "Accept: application/json");
    headers = curl_slist_append(headers, "Expect:");
    curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(handle, CURLOPT_USERPWD,
                     "AC00000000000000000000000000000001:0123456789abcdef0123456789abcdef");
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.c_str());
    curl_easy_setopt(handle, CURLOPT_CAINFO, argv[1]);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &discard);
    const CURLcode code = curl_easy_perform(handle);
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(handle);
    curl_slist_free_all(headers);
    return code == CURLE_OK && status == 201 ? 0 : 1;
}
