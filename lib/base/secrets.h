// Hides what lists, logs and alerts must not give away: passwords and tokens in URLs, and the
// values of headers that prove who somebody is.
#pragma once

#include <string>
#include <string_view>

namespace belay::base {

// True for the name of a header or a URL's parameter whose value is a secret: Authorization,
// Cookie, and all names with "token", "secret", "password", "api-key" and the like.
bool is_secret_name(std::string_view name);

// Hides the secrets of all URLs within the text: "http://user:word@host/x?token=y&a=b" becomes
// "http://***@host/x?token=***&a=b". A text without a URL stays as it is.
std::string without_secrets(std::string_view text);

// The same for a value that is a URL, though its scheme may be missing ("user:word@proxy:3128").
std::string url_without_secrets(std::string_view url);

inline constexpr std::string_view kHidden = "***";

}  // namespace belay::base
