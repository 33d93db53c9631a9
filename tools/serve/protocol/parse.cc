#include "serve/protocol/parse.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/number.h"

namespace belay::protocol {
Extent extent_of(std::string_view text) {
  Extent extent;
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '"':
        for (++i; i < text.size() && text[i] != '"'; ++i) {
          if (text[i] == '\\') ++i;
        }
        break;
      case '[':
      case '{':
        extent.depth = std::max(extent.depth, ++depth);
        ++extent.values;
        break;
      case ']':
      case '}': depth -= depth > 0 ? 1 : 0; break;
      case ',': ++extent.values; break;
      default: break;
    }
  }
  return extent;
}

Result<Json> parse_json(std::string_view text) {
  if (text.size() > kBodyBytesMax) {
    return invalid("the body has " + std::to_string(text.size()) + " bytes, the limit is " +
                   std::to_string(kBodyBytesMax));
  }
  if (base::trimmed(text).empty()) return invalid("unexpected end of JSON input");
  const auto extent = extent_of(text);
  if (extent.depth > kDepthMax) {
    return invalid("the JSON is nested deeper than " + std::to_string(kDepthMax) + " levels");
  }
  if (extent.values > kValuesMax) {
    return invalid("the JSON has about " + std::to_string(extent.values) +
                   " values, the limit is " + std::to_string(kValuesMax));
  }
  // The parser would take what stands before a NUL for the whole.
  if (text.find('\0') != std::string_view::npos) return invalid("the text has a NUL");
  auto json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return invalid("the text is no valid JSON");
  return json;
}

Result<Json> parse_object(std::string_view text) {
  auto json = parse_json(text);
  if (!json || json->is_object()) return json;
  if (json->is_null()) return Json::object();
  return invalid(std::string("the JSON is of type ") + json->type_name() +
                 ", it must be an object");
}

const Json* Members::find(std::string_view name) const {
  const std::string key(name);
  auto found = object_.find(key);
  if (found == object_.end()) {
    for (auto it = object_.begin(); it != object_.end(); ++it) {
      if (base::equal_ignoring_case(it.key(), name)) found = it;
    }
  }
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

void Members::refuse(std::string_view name, std::string_view wanted, const Json& found) {
  if (error_) return;
  error_ = invalid(std::string(name) + " is of type " + found.type_name() + ", it must be " +
                   std::string(wanted));
}

void Members::refuse_all_but_texts() {
  for (const auto& [key, value] : object_.items()) {
    if (!value.is_string() && !value.is_null()) refuse(key, "a string", value);
  }
}

std::string Members::text(std::string_view name) {
  const auto* found = find(name);
  if (found == nullptr) return {};
  if (found->is_string()) return found->get<std::string>();
  refuse(name, "a string", *found);
  return {};
}

std::int64_t Members::integer(std::string_view name) {
  const auto* found = find(name);
  if (found == nullptr) return 0;
  const bool fits = found->is_number_integer() &&
                    !(found->is_number_unsigned() && found->get<std::uint64_t>() > INT64_MAX);
  if (fits) return found->get<std::int64_t>();
  refuse(name, "a whole number", *found);
  return 0;
}

bool Members::flag(std::string_view name) {
  const auto* found = find(name);
  if (found == nullptr) return false;
  if (found->is_boolean()) return found->get<bool>();
  refuse(name, "true or false", *found);
  return false;
}

std::vector<std::string> Members::texts(std::string_view name) {
  std::vector<std::string> all;
  const auto* found = find(name);
  if (found == nullptr) return all;
  if (!found->is_array()) refuse(name, "an array of strings", *found);
  if (!found->is_array()) return all;
  for (const auto& one : *found) {
    if (!one.is_string() && !one.is_null()) refuse(name, "an array of strings", one);
    all.push_back(one.is_string() ? one.get<std::string>() : std::string());
  }
  return all;
}

std::vector<Header> Members::text_map(std::string_view name) {
  std::vector<Header> all;
  const auto* found = find(name);
  if (found == nullptr) return all;
  if (found->is_array() && found->empty()) return all;  // PHP writes an empty map this way
  if (!found->is_object()) refuse(name, "an object of strings", *found);
  if (!found->is_object()) return all;
  for (const auto& [key, value] : found->items()) {
    if (!value.is_string() && !value.is_null()) refuse(name, "an object of strings", value);
    all.push_back({key, value.is_string() ? value.get<std::string>() : std::string()});
  }
  return all;
}

Result<std::int64_t> to_integer(std::string_view text) {
  if (const auto number = base::parse_number<std::int64_t>(text)) return *number;
  return invalid("convert to int error: " + std::string(text));
}

Result<std::int64_t> query_integer(const http::Request& request, std::string_view name,
                                   std::int64_t otherwise) {
  const auto text = request.query_value(name);
  return text.empty() ? Result<std::int64_t>(otherwise) : to_integer(text);
}

}  // namespace belay::protocol
