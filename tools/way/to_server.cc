// A running server, over HTTP.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "base/percent.h"
#include "base/spans.h"
#include "serve/read_file.h"
#include "view/text.h"
#include "way/server.h"

namespace belay::tool {
namespace {

// Longer than the server waits for a silent disk before it answers with an error.
constexpr Millis kSubmitTimeout{45'000};
constexpr Millis kFirstPause{20};
constexpr Millis kLongestPause{1'000};
constexpr Millis kAskTimeout{10'000};
// How long `follow` asks a server that does not answer.
constexpr Millis kGonePatience = base::kMinute;
constexpr auto kReplace = Json::error_handler_t::replace;

// What the request is about.
const std::string& about_of(const Request& request) {
  if (!request.gid.empty()) return request.gid;
  return request.target.empty() ? request.subscription.topic : request.target;
}

// Behind the API's base.
std::string path_of(const Request& request) {
  switch (request.verb) {
    case Verb::log_level: return "log-level";
    case Verb::hold: return "targets/hold";
    case Verb::release: return "targets/release";
    case Verb::subscribe: return "topics/subscribe";
    case Verb::unsubscribe: return "topics/unsubscribe";
    case Verb::remove_topic: return "topics/delete";
    default: break;
  }
  std::string path = "transactions/";
  base::append_percent_encoded(path, request.gid);
  return path.append("/").append(name_of(request.verb));
}

void put_changes(Json& body, const Changes& changes) {
  if (changes.target) body["target"] = *changes.target;
  if (changes.payload) body["payload_base64"] = base::to_base64(*changes.payload);
  for (const auto& [name, value] : changes.headers)
    body["headers"].push_back(Json::array({name, value}));
  for (const auto& name : changes.without_headers) body["without_headers"].push_back(name);
}

Json body_of(const Request& request) {
  auto body = Json::object();
  const auto put = [&body](const char* name, std::string_view text) {
    if (!text.empty()) body[name] = text;
  };
  put("reason", request.reason);
  put("target", request.target.empty() ? request.subscription.target : request.target);
  put("topic", request.subscription.topic);
  put("remark", request.subscription.remark);
  put("branch_id", request.branch_id);
  if (request.verb == Verb::resolve || request.verb == Verb::edit) put("op", name_of(request.op));
  if (request.verb == Verb::resolve) put("as", name_of(request.outcome));
  if (request.verb == Verb::log_level) put("level", name_of(request.level));
  put_changes(body, request.changes);
  return body;
}

class ToServer final : public Way {
 public:
  explicit ToServer(Server server) : server_(std::move(server)) {}

  std::optional<Failure> submit(const Submission& submission) override {
    if (submission.own) return submit_own(submission);
    auto json = submission.json;
    json.erase("wait_result");  // `follow` waits instead
    const auto response = server_.send("POST", "/api/dtmsvr/submit", json.dump(), kSubmitTimeout);
    if (!response) return unanswered(response.error(), submission.place(), submission.request.gid);
    const auto answer = object_in(*response);
    // The transaction was submitted before and has ended.
    if (response->status == 409 && flag_in(answer, "same_definition")) return std::nullopt;
    if (response->status != 200) return refusal_of(*response, submission.place());
    if (text_in(answer, "dtm_result") != "SUCCESS") return unread(*response, submission.place());
    return std::nullopt;
  }

  std::optional<Failure> follow(const std::string& gid, Millis limit, Fate& fate) override {
    auto heard_at = std::chrono::steady_clock::now();
    const auto end = heard_at + limit;
    for (auto pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
      const auto response = query(gid);
      // A server that does not answer, or answers 503, is restarting or busy.
      const auto now = std::chrono::steady_clock::now();
      const bool answers = response && response->status != 503;
      if (answers) heard_at = now;
      if (answers || now >= std::min(end, heard_at + kGonePatience)) {
        if (auto refusal = read_fate(gid, response, fate)) return refusal;
        if (fate.is_final() || now >= end) return std::nullopt;
      }
      std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(pause, end - now));
    }
  }

  std::optional<Failure> ask(const Request& request) override {
    const auto text = body_of(request).dump(-1, ' ', false, kReplace);
    const auto response =
        server_.send("POST", kAdminApi + path_of(request), text, kSubmitTimeout, request.asked_by);
    const auto& about = about_of(request);
    if (!response) return unanswered(response.error(), "", about);
    const auto answer = object_in(*response);
    if (response->status == 404 && text_in(answer, "error") == name_of(ErrorCode::not_found))
      return request.gid.empty() ? failed(ExitCode::not_found, about, answer) : unknown(about);
    if (response->status == 409) return failed(ExitCode::forbidden, about, answer);
    if (text_in(answer, "error") == name_of(ErrorCode::commit_unknown)) {
      auto unknown = failed(ExitCode::busy, about, answer);
      unknown.to_do = "it may have been carried out, or may be yet: look before you ask again";
      return unknown;
    }
    if (response->status != 200) return refusal_of(*response, "");
    if (!flag_in(answer, "taken")) return unread(*response, "");
    return std::nullopt;
  }

 private:
  std::optional<Failure> submit_own(const Submission& submission) const {
    const auto& gid = submission.request.gid;
    const auto response =
        server_.send("POST", kAdminApi + "transactions", submission.own_text, kSubmitTimeout);
    if (!response) return unanswered(response.error(), submission.place(), gid);
    if (response->status != 200) return refusal_of(*response, submission.place());
    if (text_in(object_in(*response), "gid") != gid) return unread(*response, submission.place());
    return std::nullopt;
  }

  Result<http::Response> query(const std::string& gid) const {
    std::string path = "/api/dtmsvr/query?gid=";
    base::append_percent_encoded(path, gid);
    return server_.send("GET", path, "", kAskTimeout);
  }

  static std::optional<Failure> read_fate(const std::string& gid,
                                          const Result<http::Response>& response, Fate& fate) {
    if (!response) return silent(response.error());
    if (response->status != 200) return refusal_of(*response, "");
    const auto answer = object_in(*response);
    const auto transaction = answer.find("transaction");
    if (transaction != answer.end() && transaction->is_null()) return unknown(gid);
    if (transaction != answer.end() && transaction->is_object())
      fate = {text_in(*transaction, "status"), text_in(*transaction, "rollback_reason")};
    if (!status_from(fate.status)) return unread(*response, "");
    return std::nullopt;
  }

  static Failure failed(ExitCode code, const std::string& about, const Json& answer) {
    return {code, fmt::format("{}: {}", about, printable(text_in(answer, "message"))),
            "see `belay show`"};
  }

  static Failure unknown(const std::string& gid) {
    return {ExitCode::not_found, fmt::format("the server knows no transaction {}", gid),
            "see which there are with `belay list --server`"};
  }

  // The message contains the gid: it may have been generated here, and to repeat a request with it
  // does no harm.
  static Failure unanswered(const Error& error, const std::string& place, const std::string& gid) {
    if (error.code == ErrorCode::invalid_argument) return silent(error);
    return {ExitCode::failed,
            fmt::format("{}{}; {} may have been taken all the same", place, error.detail, gid),
            fmt::format("see that `belay serve` runs there, and ask for {} or do it again with "
                        "that gid",
                        gid)};
  }

  const Server server_;
};

}  // namespace

std::optional<std::string> wrong_with(const ServerAccess& access) {
  if (access.url.empty()) return std::nullopt;
  // It is not repeated: what is no URL may hold a password all the same.
  if (!http::is_url(access.url)) return "--server: this is no http or https URL";
  const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; };
  if (std::any_of(access.url.begin(), access.url.end(), is_blank))
    return "--server: the URL has a blank or a control character";
  if (!access.cert_file.empty() && access.key_file.empty()) return "--cert needs --key";
  for (const auto& [option, path] : {std::pair{"--ca", &access.ca_file},
                                     {"--cert", &access.cert_file},
                                     {"--key", &access.key_file}}) {
    if (path->empty()) continue;
    if (const auto text = read_file(*path); !text)
      return fmt::format("{}: {}", option, text.error().detail);
  }
  return std::nullopt;
}

std::unique_ptr<Way> to_server(const ServerAccess& access, std::optional<Failure>& refusal) {
  auto server = Server::make(access, refusal);
  return server ? std::make_unique<ToServer>(std::move(*server)) : nullptr;
}

}  // namespace belay::tool
