// Saves a file that a customer sent: its MediaUrl from the webhook, and where to put it.
//   example_download_media https://api.twilio.com/2010-04-01/Accounts/AC.../Media/ME... photo.jpg
#include <cstdio>

#include <twiliowa/media_client.hpp>

int main(int argc, char** argv) try {
    if (argc != 3) {
        std::fprintf(stderr, "usage: %s <media URL> <file>\n", argv[0]);
        return 2;
    }
    const twiliowa::MediaClient media{twiliowa::Credentials::from_environment(),
                                      twiliowa::ClientOptions::from_environment()};
    const auto file = media.download_to_file(argv[1], argv[2]);
    std::printf("%zu bytes of %s\n", file.size, file.content_type.c_str());
} catch (const twiliowa::TwilioError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
