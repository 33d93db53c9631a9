// registerBranch: adds one branch of a tcc or xa, or records one step that a workflow's owner has
// done.
#include <utility>

#include "serve/protocol/describe.h"
#include "serve/protocol/handlers.h"
#include "serve/protocol/parse.h"

namespace belay::protocol {
namespace {

template <class T>
std::function<void(const Result<T>&)> told(const std::string& gid, Done done) {
  return [gid, done = std::move(done)](const Result<T>& result) {
    if (result) return done({});
    switch (result.error().code) {
      case ErrorCode::not_found:
      case ErrorCode::forbidden:
        return done(
            ApiResult::failure("no trans with gid: " + gid + " status: prepared found FAILURE"));
      case ErrorCode::conflict: return done(ApiResult::error("storage: UniqueKeyConflict"));
      default: return done(ApiResult::of(result.error()));
    }
  };
}

// Of a branch's second phase: what is called, or what the request calls it.
struct SecondPhase {
  std::string_view commit, rollback;
};

void add_branch(const ContextPtr& context, const BranchRequest& request, const SecondPhase& names,
                const SecondPhase& targets, Done done) {
  auto commit_target = target_of(names.commit, targets.commit, request.protocol, context->options);
  if (!commit_target) return done(ApiResult::of(commit_target.error()));
  auto rollback_target =
      target_of(names.rollback, targets.rollback, request.protocol, context->options);
  if (!rollback_target) return done(ApiResult::of(rollback_target.error()));
  TwoPhaseBranch branch{.first = {},
                        .commit = std::move(*commit_target),
                        .rollback = std::move(*rollback_target),
                        .payload = request.data};
  branch.branch_id = request.branch_id;
  branch.mode = mode_from(request.trans_type);
  ask<Outcome>(told<Outcome>(request.gid, std::move(done)), [&](OutcomeCallback callback) {
    return context->engine.register_branch(request.gid, branch, std::move(callback));
  });
}

}  // namespace

Result<BranchRequest> read_branch(const Json& object) {
  Members members(object);
  members.refuse_all_but_texts();
  if (members.error()) return *members.error();
  return BranchRequest{.gid = members.text("gid"),
                       .branch_id = members.text("branch_id"),
                       .trans_type = members.text("trans_type"),
                       .data = members.text("data"),
                       .confirm = members.text("confirm"),
                       .cancel = members.text("cancel"),
                       .url = members.text("url"),
                       .op = members.text("op"),
                       .status = members.text("status")};
}

void register_branch(const ContextPtr& context, const BranchRequest& request, Done done) {
  if (request.trans_type == name_of(Mode::tcc))
    return add_branch(context, request, {"confirm", "cancel"}, {request.confirm, request.cancel},
                      std::move(done));
  if (request.trans_type == name_of(Mode::xa))
    return add_branch(context, request, {"url", "url"}, {request.url, request.url},
                      std::move(done));
  if (request.trans_type == name_of(Mode::workflow)) {
    const Progress progress{request.branch_id, request.op, request.status, request.data};
    return ask<std::monostate>(
        told<std::monostate>(request.gid, std::move(done)), [&](DoneCallback callback) {
          return context->engine.record_progress(request.gid, progress, std::move(callback));
        });
  }
  done(ApiResult::error("unknow trans type: " + request.trans_type));
}

}  // namespace belay::protocol
