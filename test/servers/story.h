// One story of a barrier test: a gid of its own, branch "01", and the count of what was done.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include "servers/site.h"

namespace belay::test {

inline int new_story() {
  static std::atomic<int> last{0};
  return ++last;
}

class Story {
 public:
  explicit Story(std::string_view trans_type) : trans_type_(trans_type) {}

  std::string gid() const { return "story-" + std::to_string(number_); }
  Barrier barrier(std::string_view op) const { return {trans_type_, gid(), "01", op}; }

  // Work that leaves one row of `what`.
  std::function<Outcome()> effect(Connection& connection, std::string_view what) const {
    return [this, &connection, what = std::string(what)] {
      return connection.run("insert into effects values (" + std::to_string(number_) + ", '" +
                            what + "')")
                 ? Outcome::success()
                 : Outcome::unknown("the insert failed");
    };
  }
  // One call of `op`, which leaves a row of that name.
  Outcome call(Connection& connection, std::string_view op) const {
    auto guard = barrier(op);
    return connection.call(guard, effect(connection, op));
  }
  int count(Connection& connection, std::string_view what) const {
    return std::stoi(connection
                         .rows("select count(*) from effects where story = " +
                               std::to_string(number_) + " and what = '" + std::string(what) + "'")
                         .at(0));
  }
  // "op barrier-id reason" of the barrier's rows, in the order they were written.
  std::vector<std::string> guard_rows(Connection& connection, std::string_view table) const {
    return connection.rows("select op, barrier_id, reason from " + std::string(table) +
                           " where gid = '" + gid() + "' order by id");
  }

 private:
  std::string trans_type_;
  int number_ = new_story();
};

inline bool is(const Outcome& outcome, OutcomeKind kind) { return outcome.kind() == kind; }

}  // namespace belay::test
