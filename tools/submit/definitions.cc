#include "submit/definitions.h"

#include <fmt/format.h>

#include <iostream>
#include <iterator>
#include <utility>

#include "base/ascii.h"
#include "base/spans.h"
#include "belay/engine.h"
#include "serve/protocol/parse.h"
#include "serve/read_file.h"
#include "submit/keys.h"

namespace belay::tool {
namespace {

constexpr std::size_t kDefinitionsBytesMax = std::size_t{1024} * 1024 * 1024;
constexpr Millis kDefinitionsPatience = base::kHour;  // for a pipe that another program fills

bool has_own_form(const protocol::Json& json) {
  return json.contains("mode") && !json.contains("trans_type");
}

Result<> read_own(std::string_view text, protocol::Json json, Submission& submission) {
  submission.own_text = text;
  auto described = description_from(text);
  if (described && described->gid().empty()) {
    json["gid"] = new_gid();
    submission.own_text = json.dump();
    described = description_from(submission.own_text);
  }
  if (!described) {
    return Error{ErrorCode::invalid_argument, submission.place() + described.error().detail};
  }
  submission.request.gid = described->gid();
  submission.own = std::move(*described);
  return {};
}

Result<Submission> parse_one(std::string_view text, std::size_t line) {
  Submission submission{.line = line};
  const auto in_place = [&](const Error& error) {
    return Error{error.code, submission.place() + error.detail};
  };
  auto json = protocol::parse_object(text);
  if (!json) return in_place(json.error());
  if (has_own_form(*json)) {
    BELAY_TRY(read_own(text, std::move(*json), submission));
    return submission;
  }
  if (auto wrong = unknown_key(*json)) {
    return in_place(Error{ErrorCode::invalid_argument, std::move(*wrong)});
  }
  auto request = protocol::read_transaction(*json);
  if (!request) return in_place(request.error());
  if (request->trans_type.empty()) {
    return in_place(Error{ErrorCode::invalid_argument, "trans_type is missing"});
  }
  if (request->gid.empty()) {
    request->gid = new_gid();
    (*json)["gid"] = request->gid;
  }
  submission.json = std::move(*json);
  submission.request = std::move(*request);
  return submission;
}

}  // namespace

std::string Submission::place() const { return line == 0 ? "" : fmt::format("line {}: ", line); }

Result<std::vector<Submission>> parse_definitions(const std::string& text) {
  if (base::trimmed(text).empty()) {
    return Error{ErrorCode::invalid_argument, "there is no definition"};
  }
  std::vector<Submission> result;
  const bool is_one = protocol::Json::accept(text);
  for (std::size_t begin = 0, number = 1; begin < text.size(); ++number) {
    const auto end = is_one ? text.size() : std::min(text.find('\n', begin), text.size());
    const auto line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    if (base::trimmed(line).empty()) continue;
    auto one = parse_one(line, is_one ? 0 : number);
    if (!one) return one.error();
    result.push_back(std::move(*one));
  }
  return result;
}

Result<std::vector<Submission>> read_definitions(const std::string& path) {
  std::string text;
  if (path == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
    return parse_definitions(text);
  }
  auto file = read_file(path, kDefinitionsBytesMax, kDefinitionsPatience);
  if (!file) return file.error();
  return parse_definitions(*file);
}

}  // namespace belay::tool
