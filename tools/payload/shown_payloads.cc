#include "payload/shown_payloads.h"

#include <algorithm>
#include <utility>

#include "base/base64.h"
#include "base/secrets.h"
#include "base/utf8.h"
#include "view/members.h"

namespace belay::tool {
namespace {

using Form = ShownPayload::Form;

// The end of the JSON string that begins at `begin`: behind its second quote.
std::size_t string_end(std::string_view json, std::size_t begin) {
  auto at = begin + 1;
  while (at < json.size() && json[at] != '"') at += json[at] == '\\' ? 2 : 1;
  return std::min(at + 1, json.size());
}

// Each string by itself and as it is meant: escapes would hide where a URL ends.
std::string without_secrets_in_json(std::string_view json) {
  std::string out;
  for (std::size_t at = 0; at < json.size();) {
    const auto begin = std::min(json.find('"', at), json.size());
    out += json.substr(at, begin - at);
    if (begin == json.size()) break;
    at = string_end(json, begin);
    const auto literal = json.substr(begin, at - begin);
    const auto meant =
        literal.find(':') == std::string_view::npos ? Json() : Json::parse(literal, nullptr, false);
    if (meant.is_string())
      out += Json(base::without_secrets(meant.get_ref<const std::string&>())).dump();
    else
      out += literal;
  }
  return out;
}

// Cuts between two characters. True: something was cut off.
bool cut(std::string& text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return false;
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xc0u) == 0x80)
    --bytes_max;
  text.resize(bytes_max);
  return true;
}

class PayloadView {
 public:
  PayloadView(const MessageTypes& types, PayloadSecrets secrets, std::size_t bytes_max)
      : types_(types), secrets_(secrets), left_(bytes_max) {}

  ShownPayload of(const Payload& payload) {
    const auto& bytes = *payload.bytes;
    ShownPayload shown;
    shown.branch_id = payload.branch_id;
    shown.op = payload.op;
    shown.size = bytes.size();
    const auto method = grpc_method_of(payload.target);
    if (left_ == 0) {
      shown.reason = "the payloads before it are long";
      shown.form = Form::base64;
      shown.is_cut = true;
    } else if (!method || !decode(shown, *method, bytes)) {
      show_raw(shown, bytes, method ? Form::base64 : Form::text);
    }
    // A message costs its whole length, however little is shown of it.
    left_ -= std::min(left_, std::max(shown.value.size(), method ? bytes.size() : 0));
    return shown;
  }

 private:
  bool hides() const { return secrets_ == PayloadSecrets::hide; }

  bool decode(ShownPayload& shown, const std::string& method, const std::string& bytes) const {
    if (secrets_ == PayloadSecrets::hidden_before && bytes.find(base::kHidden) != bytes.npos) {
      shown.reason = "the server has hidden a part of it: see --secrets of `belay serve`";
      return false;
    }
    auto decoded = types_.decode(method, bytes);
    shown.type = std::move(decoded.type);
    // It may quote what the message holds.
    shown.reason = hides() ? base::without_secrets(decoded.wrong) : std::move(decoded.wrong);
    cut(shown.reason, kReasonShownMax);
    if (!shown.reason.empty()) return false;
    shown.form = Form::message;
    shown.value = hides() ? without_secrets_in_json(decoded.json) : std::move(decoded.json);
    shown.is_cut = cut(shown.value, kMessageShownMax);
    return true;
  }

  void show_raw(ShownPayload& shown, const std::string& bytes, Form form) const {
    shown.form = base::is_text(bytes) ? form : Form::base64;
    shown.value = hides() ? base::without_secrets(bytes) : bytes;
    if (shown.form == Form::text) {
      shown.is_cut = cut(shown.value, kMessageShownMax);
      return;
    }
    shown.is_cut = shown.value.size() > kBytesShownMax;
    shown.value = base::to_base64(std::string_view(shown.value).substr(0, kBytesShownMax));
  }

  const MessageTypes& types_;
  const PayloadSecrets secrets_;
  std::size_t left_;
};

Json value_or_null(bool is_there, const std::string& text) {
  return is_there ? Json(text) : Json();
}

}  // namespace

std::vector<ShownPayload> shown_payloads(const WholeTransaction& whole, const MessageTypes& types,
                                         PayloadSecrets secrets, std::size_t bytes_max) {
  PayloadView view(types, secrets, bytes_max);
  std::vector<ShownPayload> all;
  for (const auto& payload : payloads_of(whole)) all.push_back(view.of(payload));
  return all;
}

// A message that was cut is no JSON any more: it is a text.
Json json_of(const ShownPayload& payload) {
  const bool is_message = payload.form == Form::message && !payload.is_cut;
  const bool is_text = !is_message && payload.form != Form::base64;
  return {{"branch_id", payload.branch_id},
          {"op", name_of(payload.op)},
          {"bytes", payload.size},
          {"type", value_or_null(!payload.type.empty(), payload.type)},
          {"message", is_message ? Json::parse(payload.value, nullptr, false) : Json()},
          {"text", value_or_null(is_text, payload.value)},
          {"base64", value_or_null(payload.form == Form::base64, payload.value)},
          {"cut", payload.is_cut},
          {"reason", value_or_null(!payload.reason.empty(), payload.reason)}};
}

Json json_of(const std::vector<ShownPayload>& payloads) {
  auto all = Json::array();
  for (const auto& payload : payloads) all.push_back(json_of(payload));
  return all;
}

std::optional<ShownPayload> shown_payload_from(const Json& object) {
  Members members(object);
  const auto* message = members.find("message");
  if (message == nullptr) return std::nullopt;
  auto text = members.text("text");
  auto base64 = members.text("base64");
  const auto has = [&](const char* name) { return members.find(name)->is_string(); };
  ShownPayload payload;
  payload.branch_id = members.text("branch_id");
  payload.op = members.word("op", &op_from);
  payload.size = members.number<std::size_t>("bytes");
  payload.type = members.text("type");
  payload.is_cut = members.flag("cut");
  payload.reason = members.text("reason");
  if (!members.is_ok()) return std::nullopt;
  if (has("text")) {
    payload.form = Form::text;
    payload.value = std::move(text);
  } else if (has("base64")) {
    payload.form = Form::base64;
    payload.value = std::move(base64);
  } else {
    payload.form = Form::message;
    payload.value = json_text(*message);
  }
  return payload;
}

}  // namespace belay::tool
