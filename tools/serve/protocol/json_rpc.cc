// JSON-RPC 2.0: five of the endpoints in another form.
#include <algorithm>
#include <array>
#include <utility>

#include "serve/protocol/handlers.h"
#include "serve/protocol/parse.h"

namespace belay::protocol {
namespace {

constexpr int kParseError = -32700;
constexpr int kInvalidRequest = -32600;
constexpr int kMethodNotFound = -32601;
constexpr int kFailureCode = -32901;
constexpr int kOtherCode = -32603;

struct Call {
  ContextPtr context;
  std::string trace_parent;
};

using Method = void (*)(const Call& call, const Json& params, Done done);

// The params as an object: null and nothing at all count as an empty one.
Result<const Json*> object_of(const Json& params) {
  static const Json kEmpty = Json::object();
  if (params.is_null()) return &kEmpty;
  if (params.is_object()) return &params;
  return invalid(std::string("params is of type ") + params.type_name() + ", it must be an object");
}

template <void (*Handler)(const ContextPtr&, const TransactionRequest&, Done)>
void with_transaction(const Call& call, const Json& params, Done done) {
  const auto object = object_of(params);
  if (!object) return done(ApiResult::of(object.error()));
  auto request = read_transaction(**object);
  if (!request) return done(ApiResult::of(request.error()));
  request->gid = clean_gid(request->gid);  // the same gid with REST and JSON-RPC
  request->trace_parent = call.trace_parent;
  Handler(call.context, *request, std::move(done));
}

void with_branch(const Call& call, const Json& params, Done done) {
  const auto object = object_of(params);
  if (!object) return done(ApiResult::of(object.error()));
  auto request = read_branch(**object);
  if (!request) return done(ApiResult::of(request.error()));
  request->gid = clean_gid(request->gid);
  register_branch(call.context, *request, std::move(done));
}

struct Named {
  std::string_view name;
  Role role;
  Method method;
};

// newGid takes whatever its params are.
constexpr std::array<Named, 5> kMethods = {{
    {"newGid", Role::submit,
     [](const Call& call, const Json&, Done done) { new_gid(call.context, done); }},
    {"prepare", Role::submit, with_transaction<prepare>},
    {"submit", Role::submit, with_transaction<submit>},
    {"abort", Role::submit, with_transaction<abort>},
    {"registerBranch", Role::submit, with_branch},
}};

static_assert(std::all_of(kMethods.begin(), kMethods.end(),
                          [](const Named& one) { return one.role <= kJsonRpcRole; }));

Method method_of(std::string_view name) {
  for (const auto& one : kMethods) {
    if (one.name == name) return one.method;
  }
  return nullptr;
}

Json reply(const Json& id, Json result, Json error) {
  return {
      {"error", std::move(error)}, {"id", id}, {"jsonrpc", "2.0"}, {"result", std::move(result)}};
}

Json error_of(int code, std::string message) {
  return {{"code", code}, {"message", std::move(message)}};
}

http::Response respond_with(const Json& body) { return to_response(ApiResult::of(body)); }

// An overload has the same HTTP status in JSON-RPC as in REST, so that a proxy can see it.
http::Response response_of(const Json& id, const ApiResult& answer) {
  if (answer.kind == ApiResult::Kind::overload) return to_response(answer);
  if (answer.kind == ApiResult::Kind::done) return respond_with(reply(id, nullptr, nullptr));
  if (answer.kind == ApiResult::Kind::value) {
    auto result = answer.value;
    result.erase("dtm_result");
    return respond_with(reply(id, std::move(result), nullptr));
  }
  const auto code = answer.kind == ApiResult::Kind::failure ? kFailureCode : kOtherCode;
  return respond_with(reply(id, Json::object(), error_of(code, answer.text)));
}

http::Response unreadable(const std::string& id, const std::string& why) {
  return plain_text(400,
                    text_of(reply(id, nullptr, error_of(kParseError, "Parse json error: " + why))));
}

}  // namespace

void json_rpc(const ContextPtr& context, const std::string& body, std::string trace_parent,
              http::Respond respond) {
  const auto json = parse_object(body);
  if (!json) return respond(unreadable("", json.error().detail));
  Members members(*json);
  const auto id = members.text("id");
  const auto version = members.text("jsonrpc");
  const auto name = members.text("method");
  if (members.error()) return respond(unreadable(id, members.error()->detail));
  if (id.empty() || version != "2.0") {
    return respond(respond_with(reply(
        id, nullptr,
        error_of(kInvalidRequest, "Bad json request: id must be a string and jsonrpc \"2.0\""))));
  }
  const auto method = method_of(name);
  if (method == nullptr) {
    return respond(
        respond_with(reply(id, nullptr, error_of(kMethodNotFound, "Method not found: " + name))));
  }
  static const Json kNone;
  const auto* params = members.find("params");
  method({context, std::move(trace_parent)}, params == nullptr ? kNone : *params,
         [id, respond = std::move(respond)](const ApiResult& answer) {
           respond(response_of(id, answer));
         });
}

}  // namespace belay::protocol
