#include "sqlite/row_source.h"

#include <fmt/format.h>

#include <memory>
#include <new>
#include <string>

#include "sqlite/sqlite.h"

namespace belay::sqlite {
namespace {

// What SQLite passes back to the module's functions: the source of the rows, and the columns.
struct Registered {
  RowSource& source;
  std::string declaration;
};

struct Cursor : sqlite3_vtab_cursor {
  bool at_end = false;
  sqlite3_int64 row = 0;
};

}  // namespace

// The functions of an eponymous, read-only virtual table that is always read from end to end.
struct RowSourceTable : sqlite3_vtab {
  explicit RowSourceTable(RowSource& rows) : sqlite3_vtab{}, source(rows) {}

  RowSource& source;

  static RowSource& source_of(sqlite3_vtab_cursor* cursor) {
    return static_cast<RowSourceTable*>(cursor->pVtab)->source;
  }
  // Nothing may be thrown through SQLite.
  template <class Move>
  static int move(sqlite3_vtab_cursor* cursor, Move move) {
    try {
      return take(cursor, move(source_of(cursor)));
    } catch (const std::bad_alloc&) {
      return SQLITE_NOMEM;
    }
  }
  static int take(sqlite3_vtab_cursor* cursor, const Result<bool>& is_there) {
    auto& at = *static_cast<Cursor*>(cursor);
    ++at.row;
    at.at_end = !is_there || !*is_there;
    if (is_there) return SQLITE_OK;
    source_of(cursor).failure_ = is_there.error();
    return SQLITE_ABORT;
  }

  static int connect(sqlite3* db, void* registered, int, const char* const*, sqlite3_vtab** table,
                     char**) {
    const auto& own = *static_cast<Registered*>(registered);
    const int code = sqlite3_declare_vtab(db, own.declaration.c_str());
    if (code != SQLITE_OK) return code;
    *table = new (std::nothrow) RowSourceTable(own.source);
    return *table == nullptr ? SQLITE_NOMEM : SQLITE_OK;
  }
  static int disconnect(sqlite3_vtab* table) {
    delete static_cast<RowSourceTable*>(table);
    return SQLITE_OK;
  }
  static int plan(sqlite3_vtab*, sqlite3_index_info*) { return SQLITE_OK; }
  static int open(sqlite3_vtab*, sqlite3_vtab_cursor** cursor) {
    *cursor = new (std::nothrow) Cursor{};
    return *cursor == nullptr ? SQLITE_NOMEM : SQLITE_OK;
  }
  static int close(sqlite3_vtab_cursor* cursor) {
    delete static_cast<Cursor*>(cursor);
    return SQLITE_OK;
  }
  static int filter(sqlite3_vtab_cursor* cursor, int, const char*, int, sqlite3_value**) {
    return move(cursor, [](RowSource& rows) { return rows.first(); });
  }
  static int next(sqlite3_vtab_cursor* cursor) {
    return move(cursor, [](RowSource& rows) { return rows.next(); });
  }
  static int at_end(sqlite3_vtab_cursor* cursor) {
    return static_cast<Cursor*>(cursor)->at_end ? 1 : 0;
  }
  static int column(sqlite3_vtab_cursor* cursor, sqlite3_context* out, int number) {
    try {
      source_of(cursor).column(out, number);
      return SQLITE_OK;
    } catch (const std::bad_alloc&) {
      return SQLITE_NOMEM;
    }
  }
  static int row_id(sqlite3_vtab_cursor* cursor, sqlite3_int64* id) {
    *id = static_cast<Cursor*>(cursor)->row;
    return SQLITE_OK;
  }
};

Result<> RowSource::run(Statement& statement) {
  failure_ = {};
  auto ran = statement.run();
  return failure_ ? ran : failure_;
}

Result<> make_table(sqlite3* db, const char* name, const char* columns, RowSource& source) {
  static const sqlite3_module kModule = [] {
    sqlite3_module module{};
    module.xConnect = RowSourceTable::connect;
    module.xDisconnect = RowSourceTable::disconnect;
    module.xBestIndex = RowSourceTable::plan;
    module.xOpen = RowSourceTable::open;
    module.xClose = RowSourceTable::close;
    module.xFilter = RowSourceTable::filter;
    module.xNext = RowSourceTable::next;
    module.xEof = RowSourceTable::at_end;
    module.xColumn = RowSourceTable::column;
    module.xRowid = RowSourceTable::row_id;
    return module;
  }();
  auto registered = std::make_unique<Registered>(
      Registered{source, fmt::format("CREATE TABLE rows({})", columns)});
  // SQLite deletes the object, also if this call fails.
  const int code =
      sqlite3_create_module_v2(db, name, &kModule, registered.release(),
                               [](void* own) noexcept { delete static_cast<Registered*>(own); });
  if (code != SQLITE_OK) return sqlite_error(db, code, fmt::format("making the table {}", name));
  return {};
}

}  // namespace belay::sqlite
