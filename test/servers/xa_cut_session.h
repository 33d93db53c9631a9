// A session whose connection the server ends at the n-th step, before the step is sent or after it
// was done and before its answer is heard.
#pragma once

#include <memory>
#include <utility>

#include "servers/xa_database.h"

namespace belay::test {

enum class Cut { before, after };

class CutSession final : public xa::Session {
 public:
  CutSession(const XaServer& server, Cut cut, int steps)
      : server_(server), session_(server.session()), cut_(cut), left_(steps) {}

  bool was_cut() const { return was_cut_; }

  bool usable() const override { return session_->usable(); }
  int socket() const override { return session_->socket(); }
  std::string_view holds() const override { return session_->holds(); }
  Result<> make_ready() override { return session_->make_ready(); }
  Result<> bound(const xa::Bounds& bounds) override { return session_->bound(bounds); }
  Result<bool> is_prepared(const xa::Xid& xid) override {
    return step<Result<bool>>([&] { return session_->is_prepared(xid); });
  }
  Result<xa::Row> row(const xa::Key& key) override {
    return step<Result<xa::Row>>([&] { return session_->row(key); });
  }
  Result<xa::Inserted> bar(const xa::Key& key) override {
    return step<Result<xa::Inserted>>([&] { return session_->bar(key); });
  }
  Result<xa::Inserted> begin(const xa::Xid& xid) override {
    return step<Result<xa::Inserted>>([&] { return session_->begin(xid); });
  }
  Result<xa::Inserted> guard(const xa::Key& key) override {
    return step<Result<xa::Inserted>>([&] { return session_->guard(key); });
  }
  Outcome work(const Call& call, const xa::Work& work) override {
    return session_->work(call, work);
  }
  Result<> prepare(const xa::Xid& xid) override {
    return step<Result<>>([&] { return session_->prepare(xid); });
  }
  void abandon(const xa::Xid& xid) override { session_->abandon(xid); }
  Result<xa::Ended> commit(const xa::Xid& xid) override {
    return step<Result<xa::Ended>>([&] { return session_->commit(xid); });
  }
  Result<xa::Ended> roll_back(const xa::Xid& xid) override {
    return step<Result<xa::Ended>>([&] { return session_->roll_back(xid); });
  }
  Result<std::vector<PreparedXa>> list(std::string_view realm) override {
    return session_->list(realm);
  }

 private:
  template <class Answer, class Step>
  Answer step(const Step& run) {
    const bool now = left_-- == 0;
    if (!now) return run();
    was_cut_ = true;
    if (cut_ == Cut::after) static_cast<void>(run());
    server_.end_connections();
    if (cut_ == Cut::before) return run();
    return Error{ErrorCode::storage, "cut off"};
  }

  const XaServer& server_;
  std::unique_ptr<xa::Session> session_;
  const Cut cut_;
  int left_;
  bool was_cut_ = false;
};

}  // namespace belay::test
