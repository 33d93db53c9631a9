#include "way/server.h"

#include <fmt/format.h>

#include <utility>

#include "base/secrets.h"
#include "serve/protocol/parse.h"
#include "serve/read_file.h"
#include "serve/tokens.h"
#include "view/text.h"

namespace belay::tool {
namespace {

constexpr std::size_t kShownBytes = 200;  // of an answer

}  // namespace

Server::Server(ServerAccess access, std::string token)
    : access_(std::move(access)), token_(std::move(token)) {
  while (access_.url.ends_with('/')) access_.url.pop_back();
}

std::optional<Server> Server::make(const ServerAccess& access, std::optional<Failure>& refusal) {
  if (access.token_file.empty()) return Server(access, {});
  auto tokens = read_tokens(access.token_file);
  const bool has_one = tokens && tokens->size() == 1;
  if (has_one) return Server(access, std::move(tokens->front().secret));
  refusal = Failure{
      ExitCode::usage,
      "--token-file: " + (tokens ? "there is more than one token in it" : tokens.error().detail),
      "name a file with one token of the server"};
  return std::nullopt;
}

Result<http::Response> Server::send(const char* method, const std::string& path, std::string body,
                                    Millis timeout, const std::string& asked_by) const {
  http::ClientRequest request{.method = method, .url = access_.url + path};
  request.body = std::move(body);
  request.timeout = timeout;
  request.ca_file = access_.ca_file;
  request.cert_file = access_.cert_file;
  request.key_file = access_.key_file;
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  if (!asked_by.empty()) request.headers.emplace_back("X-Belay-Asked-By", printable(asked_by));
  return http::fetch(request);
}

std::string Server::shown_url() const { return base::url_without_secrets(access_.url); }

std::string text_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool flag_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

Json object_in(const http::Response& response) {
  const auto extent = protocol::extent_of(response.body);
  if (extent.depth > protocol::kDepthMax || extent.values > protocol::kValuesMax)
    return Json::object();
  auto json = Json::parse(response.body, nullptr, false);
  if (!json.is_object()) json = Json::object();
  return json;
}

Failure refusal_of(const http::Response& response, const std::string& place) {
  auto message = text_in(object_in(response), "message");
  if (message.empty()) message = response.body;
  Failure refusal{ExitCode::failed,
                  fmt::format("{}the server answered {}{}{}", place, response.status,
                              message.empty() ? "" : ": ", message.substr(0, kShownBytes)),
                  "correct what was asked"};
  switch (response.status) {
    case 401: refusal.to_do = "give the server's token with --token-file"; break;
    case 403: refusal.to_do = "give a token of that role, or call the server by its name"; break;
    case 301:
    case 302:
    case 404: refusal.to_do = "give the address of a running `belay serve`"; break;
    case 409:
      refusal.code = ExitCode::forbidden;
      refusal.to_do = "see `belay show`, or take another gid";
      break;
    case 429:
    case 503:
      refusal.code = ExitCode::busy;
      refusal.to_do = "try again later";
      break;
    default: break;
  }
  return refusal;
}

Failure unread(const http::Response& response, const std::string& place) {
  return {ExitCode::failed,
          fmt::format("{}the server's answer cannot be read: {}", place,
                      response.body.substr(0, kShownBytes)),
          "give the address of a running `belay serve`, and let no proxy change its answers"};
}

Failure silent(const Error& error) {
  if (error.code == ErrorCode::invalid_argument)
    return {ExitCode::usage, "--server: " + error.detail,
            "give the address of a running `belay serve`"};
  return {ExitCode::failed, error.detail, "see that `belay serve` runs there"};
}

}  // namespace belay::tool
