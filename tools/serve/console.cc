#include "serve/console.h"

#include <algorithm>

namespace belay::tool {
namespace {

constexpr std::string_view kIndex = "index.html";
constexpr std::string_view kFolder = "/console/";

// The page runs its own files only, talks to its own server only, and is in nobody's frame. So a
// text of a transaction does no harm even if the page should take it for HTML.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string_view name_in(std::string_view path) {
  if (path == "/") return kIndex;
  return path.starts_with(kFolder) ? path.substr(kFolder.size()) : std::string_view();
}

// A proxy marks a tag as weak when it packs the file.
bool has_already(const http::Request& request, std::string_view etag) {
  return request.header("If-None-Match").find(etag) != std::string_view::npos;
}

}  // namespace

const ConsoleFile* find_console_file(const http::Request& request) {
  if (request.method != "GET" && request.method != "HEAD") return nullptr;
  const auto name = name_in(request.path);
  const auto files = console_files();
  const auto found = std::find_if(files.begin(), files.end(),
                                  [name](const ConsoleFile& file) { return file.name == name; });
  return found == files.end() ? nullptr : &*found;
}

http::Response console_response(const http::Request& request, const ConsoleFile& file) {
  http::Response response;
  response.content_type = file.content_type;
  response.headers = {{"Content-Security-Policy", kPolicy},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cross-Origin-Opener-Policy", "same-origin"},
                      {"Cross-Origin-Resource-Policy", "same-origin"},
                      {"Cache-Control", "no-cache"},
                      {"ETag", std::string(file.etag)}};
  if (has_already(request, file.etag)) {
    response.status = 304;
  } else {
    response.body = file.text;
  }
  return response;
}

}  // namespace belay::tool
