#include "proxytune/network/weights_file.h"

#include <algorithm>
#include <map>
#include <span>
#include <tuple>

#include <caffe2/serialize/inline_container.h>
#include <unistd.h>

#include "network/archive_checksums.h"
#include "network/pickle_reader.h"
#include "network/pickle_writer.h"
#include "proxytune/core/error.h"
#include "proxytune/core/files.h"
#include "proxytune/core/hash.h"

namespace proxytune::network {
namespace {

namespace fs = std::filesystem;

/// The zip archive of torch.save, complete in memory: the writer reports a full disk only in
/// words.
std::string archive(const std::vector<NamedTensor>& state) {
  std::string bytes;
  const auto append = [&](const void* data, std::size_t count) {
    bytes.append(static_cast<const char*>(data), count);
    return count;
  };
  caffe2::serialize::PyTorchStreamWriter writer(append);
  writer.setMinVersion(3);
  const std::string pickle = pickle_state(state);
  writer.writeRecord("data.pkl", pickle.data(), pickle.size());
  writer.writeRecord("byteorder", "little", 6);
  for (std::size_t i = 0; i < state.size(); ++i) {
    const torch::Tensor tensor = state[i].tensor.detach().cpu().contiguous();
    writer.writeRecord("data/" + std::to_string(i), tensor.const_data_ptr(), tensor.nbytes());
  }
  writer.writeEndOfFile();
  return bytes;
}

/// Elements that a tensor of these extents and strides reaches, from its offset on.
std::int64_t extent_in_memory(const PickledTensor& tensor) {
  std::int64_t last = 0;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    if (tensor.shape[i] == 0)
      return 0;
    last += (tensor.shape[i] - 1) * tensor.strides[i];
  }
  return last + 1;
}

constexpr std::int64_t sane = std::int64_t{1} << 40;

bool out_of_range(std::int64_t value) {
  return value < 0 || value > sane;
}

/// The archive's records, each held to its checksum: LibTorch's reader does not compare them.
class CheckedReader {
 public:
  explicit CheckedReader(const fs::path& path)
      : reader_(path.string()), checksums_(archive_checksums(path)) {}

  bool has(const std::string& name) { return reader_.hasRecord(name); }
  std::tuple<at::DataPtr, std::size_t> record(const std::string& name) {
    auto record = reader_.getRecord(name);
    const auto& [data, size] = record;
    const std::uint32_t found =
        core::checksum(std::span(static_cast<const std::byte*>(data.get()), size));
    for (const auto& [path, expected] : checksums_)
      // Within the archive everything lies in one folder of any name.
      if (path.substr(path.find('/') + 1) == name && expected != 0 && expected != found)
        throw std::invalid_argument("the checksum of its record " + name + " does not fit");
    return record;
  }

 private:
  caffe2::serialize::PyTorchStreamReader reader_;
  std::map<std::string, std::uint32_t> checksums_;
};

torch::Tensor read_tensor(CheckedReader& reader, const PickledTensor& described) {
  const torch::ScalarType type = type_of_storage(described.storage_class);
  auto [data, size] = reader.record("data/" + described.record);
  const auto available =
      static_cast<std::int64_t>(size / c10::elementSize(type)) - described.offset;
  if (described.shape.size() != described.strides.size() || described.shape.size() > 8 ||
      out_of_range(described.offset) || std::ranges::any_of(described.shape, out_of_range) ||
      std::ranges::any_of(described.strides, out_of_range) ||
      extent_in_memory(described) > available)
    throw std::invalid_argument(described.name + " does not fit the elements stored for it");
  char* first = static_cast<char*>(data.get()) +
                described.offset * static_cast<std::int64_t>(c10::elementSize(type));
  return torch::from_blob(first, described.shape, described.strides, torch::dtype(type))
      .clone(torch::MemoryFormat::Contiguous);
}

}  // namespace

void save_weights(const fs::path& path, const std::vector<NamedTensor>& state) {
  const std::string bytes = archive(state);
  core::write_file_atomically(path,
                              bytes,
                              core::folder_of(path) / (path.filename().string() + ".writing." +
                                                       std::to_string(::getpid())));
}

std::vector<NamedTensor> load_weights(const fs::path& path) {
  const std::string advice =
      "; a weights file is what torch.save(network.state_dict(), path) or this program writes.";
  if (!fs::is_regular_file(path))
    throw core::DataError("weights file " + path.string() + " is missing or no regular file" +
                          advice);
  try {
    CheckedReader reader(path);
    if (reader.has("byteorder")) {
      const auto [order, size] = reader.record("byteorder");
      if (std::string_view(static_cast<const char*>(order.get()), size) != "little")
        throw std::invalid_argument("it was written on a big-endian machine");
    }
    const auto [pickle, size] = reader.record("data.pkl");
    std::vector<NamedTensor> state;
    for (const PickledTensor& described :
         read_pickled_state({static_cast<const char*>(pickle.get()), size}))
      state.push_back({described.name, read_tensor(reader, described)});
    return state;
  } catch (const c10::Error& error) {
    const std::string why = error.what_without_backtrace();
    throw core::DataError("weights file " + path.string() +
                          " cannot be read: " + why.substr(0, why.find('\n')) + advice);
  } catch (const std::invalid_argument& error) {
    throw core::DataError("weights file " + path.string() + " cannot be read: " + error.what() +
                          advice);
  }
}

}  // namespace proxytune::network
