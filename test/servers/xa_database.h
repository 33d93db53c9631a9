// The two kinds of database as the tests of XA branches see them: a server of their own, with a
// table `shop.ledger (id)` to work on.
#pragma once

#include <memory>
#include <string>

#include "belay/xa.h"
#include "xa/branch.h"

namespace belay::test {

class XaServer {
 public:
  virtual ~XaServer() = default;
  virtual const char* name() const = 0;
  virtual XaKind kind() const = 0;
  virtual std::string conninfo() const = 0;
  virtual std::unique_ptr<xa::Connector> connector() const = 0;
  // On a connection of its own: the first cell, empty if there is none. Throws what the server
  // says.
  virtual std::string ask(const std::string& sql) const = 0;
  // Ends all other connections, as an operator does, and waits until they are gone.
  virtual void end_connections() const = 0;
  // A statement that does not end by itself.
  virtual std::string endless_sql() const = 0;
  virtual void kill9() = 0;
  virtual void restart() = 0;

  // Ready to use, with short waits.
  std::unique_ptr<xa::Session> session(xa::Bounds bounds = {Millis(5'000), Millis(300)}) const;
  std::size_t prepared() const;
  bool ledger_has(const std::string& id) const;
};

// One for the whole program; both start at the first call.
XaServer& xa_server(XaKind kind);

// Runs the statement that `user`, a std::string, holds.
Outcome run_sql(const Call& call, pg_conn* database, void* user);
Outcome run_sql(const Call& call, st_mysql* database, void* user);
xa::Work sql_work(std::string& sql);

}  // namespace belay::test
