// The function of each endpoint, independent of the forms of REST and JSON-RPC.
#pragma once

#include <string>

#include "serve/protocol/api_result.h"
#include "serve/protocol/calls.h"
#include "serve/protocol/context.h"
#include "serve/protocol/role.h"
#include "serve/protocol/transaction_request.h"

namespace belay::protocol {

void new_gid(const ContextPtr& context, Done done);

// submit.cc, prepare.cc.
void prepare(const ContextPtr& context, const TransactionRequest& request, Done done);
void submit(const ContextPtr& context, const TransactionRequest& request, Done done);

// stop.cc.
void abort(const ContextPtr& context, const TransactionRequest& request, Done done);
void force_stop(const ContextPtr& context, const TransactionRequest& request, Done done);

// branches.cc.
// Errors: invalid_argument.
Result<BranchRequest> read_branch(const Json& object);
void register_branch(const ContextPtr& context, const BranchRequest& request, Done done);

// workflow.cc.
void prepare_workflow(const ContextPtr& context, const TransactionRequest& request, Done done);
void submit_workflow(const ContextPtr& context, const TransactionRequest& request, Done done);

// query.cc.
void query(const ContextPtr& context, const std::string& gid, Done done);
void list_all(const ContextPtr& context, const http::Request& request, Done done);

// cron.cc.
void reset_cron_time(const ContextPtr& context, const http::Request& request, Done done);
void reset_next_cron_time(const ContextPtr& context, const TransactionRequest& request, Done done);

// topics.cc.
void subscribe(const ContextPtr& context, const TopicRequest& request, Done done);
void unsubscribe(const ContextPtr& context, const TopicRequest& request, Done done);
void delete_topic(const ContextPtr& context, const std::string& topic, Done done);
void scan_kv(const ContextPtr& context, const http::Request& request, Done done);
void query_kv(const ContextPtr& context, const http::Request& request, Done done);

// json_rpc.cc: handles the body of a JSON-RPC request. No method needs a greater role than this
// one, so the role of a caller is known without a look at the body.
inline constexpr Role kJsonRpcRole = Role::submit;
void json_rpc(const ContextPtr& context, const std::string& body, std::string trace_parent,
              http::Respond respond);

// Passes the answer on, and tells the options' on_admin_change of a change that was accepted.
Done telling(const ContextPtr& context, Sender sender, Subject subject, Done done);

// The longest time that a request with wait_result waits.
Millis wait_budget(const Context& context, const TransactionRequest& request);
// The answer for a gid that is not known.
ApiResult unknown_gid(const std::string& gid);
// The answer for a gid under which a transaction of another type is stored.
ApiResult other_type(const std::string& gid, std::string_view stored, std::string_view wanted);

}  // namespace belay::protocol
