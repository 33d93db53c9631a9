#include "hook/json.h"

#include <utility>

namespace belay::hook {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";
constexpr int kDepthMax = 256;  // it is read by recursion

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  std::optional<std::vector<JsonMember>> whole_object() {
    std::vector<JsonMember> members;
    skip_space();
    if (!object(0, &members)) return std::nullopt;
    skip_space();
    if (!rest_.empty()) return std::nullopt;
    return members;
  }

 private:
  void skip_space() {
    const auto at = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at);
  }
  bool takes(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool takes(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  // What was read since `before`, which `rest_` is a suffix of.
  std::string_view since(std::string_view before) const {
    return before.substr(0, before.size() - rest_.size());
  }

  bool value(int depth) {
    if (rest_.empty() || depth > kDepthMax) return false;
    switch (rest_.front()) {
      case '{': return object(depth, nullptr);
      case '[': return array(depth);
      case '"': return string();
      case 't': return takes("true");
      case 'f': return takes("false");
      case 'n': return takes("null");
      default: return number();
    }
  }

  bool object(int depth, std::vector<JsonMember>* members) {
    if (!takes('{')) return false;
    skip_space();
    if (takes('}')) return true;
    do {
      skip_space();
      const auto name_at = rest_;
      if (!string()) return false;
      const auto name = since(name_at);
      skip_space();
      if (!takes(':')) return false;
      skip_space();
      const auto value_at = rest_;
      if (!value(depth + 1)) return false;
      if (members != nullptr)
        members->push_back({name.substr(1, name.size() - 2), since(value_at)});
      skip_space();
    } while (takes(','));
    return takes('}');
  }

  bool array(int depth) {
    if (!takes('[')) return false;
    skip_space();
    if (takes(']')) return true;
    do {
      skip_space();
      if (!value(depth + 1)) return false;
      skip_space();
    } while (takes(','));
    return takes(']');
  }

  bool string() {
    if (!takes('"')) return false;
    while (!rest_.empty()) {
      const auto c = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c < ' ' || (c == '\\' && !escape())) return false;
    }
    return false;
  }

  bool escape() {
    if (rest_.empty()) return false;
    const auto c = rest_.front();
    rest_.remove_prefix(1);
    if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
    for (int i = 0; i < 4; ++i, rest_.remove_prefix(1)) {
      if (rest_.empty() || kHexDigits.find(rest_.front()) == std::string_view::npos) return false;
    }
    return true;
  }

  bool digits() {
    const auto before = rest_.size();
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') rest_.remove_prefix(1);
    return rest_.size() != before;
  }

  bool number() {
    takes('-');
    if (!takes('0') && !digits()) return false;
    if (takes('.') && !digits()) return false;
    if (takes('e') || takes('E')) {
      if (!takes('+')) takes('-');
      if (!digits()) return false;
    }
    return true;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<std::vector<JsonMember>> json_members(std::string_view text) {
  return Scanner(text).whole_object();
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c >= 0 && c < ' ') {
      out += "\\u00";
      out += kHexDigits[static_cast<std::size_t>(c) >> 4];
      out += kHexDigits[static_cast<std::size_t>(c) & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace belay::hook
