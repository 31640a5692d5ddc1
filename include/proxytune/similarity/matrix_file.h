#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "proxytune/similarity/pair_matrix.h"

namespace proxytune::similarity {

/// A whole pair matrix in one file, made of its tiles by all ranks together and mapped by each,
/// so that one larger than memory serves as well. Its header says by a key which tiles it is
/// made of; every row has a CRC-32. Little-endian: 64 bytes of header, rows x columns doubles
/// in C order, a checksum a row.
///
/// One rank calls begin(), then each writes rows, then one calls publish(): until then the file
/// has another name, and a later launch begins anew.
class MatrixFile {
 public:
  /// `key`: 32 characters, as PairEngine::matrix_key() gives them.
  MatrixFile(std::filesystem::path path, std::string key, int rows, int columns);

  /// Whether it is there, whole, and made of the tiles that the key names.
  bool valid() const;
  /// Throws core::DataError where the file is missing, of another size, or of other tiles.
  PairMatrix map() const;

  /// These three throw core::SystemError where the disk refuses.
  void begin() const;
  void publish() const;

  class Writer {
   public:
    explicit Writer(const MatrixFile& file);
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    void write_row(int row, std::span<const double> values);
    /// All rows are on disk when it returns, where other nodes see them too.
    void finish();

   private:
    void write(std::span<const std::byte> bytes, std::int64_t offset);

    const MatrixFile& file_;
    int descriptor_;
  };

 private:
  std::filesystem::path temporary() const;
  std::int64_t row_at(int row) const;
  std::int64_t checksum_at(int row) const;
  std::string header() const;
  bool has_our_header(std::span<const std::byte> bytes) const;

  std::filesystem::path path_;
  std::string key_;
  int rows_;
  int columns_;
};

}  // namespace proxytune::similarity
