#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <sqlite3.h>

int main(int count, char** words) {
  // Its memory comes from one pool or another by what ran before: not a seed's business.
  sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
  return doctest::Context(count, words).run();
}
