#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace proxytune::study {

/// The resolved study, or the numerics fingerprint: path of a field -> its text.
using Fields = std::map<std::string, std::string>;

/// What a change of a field means for what is already there.
enum class Effect {
  none,        // compute.ranks: no result depends on it
  extends,     // search.trials: there is more to do, and all of the old stays
  invalidates  // training.epochs: the named stages are to be done again
};

struct FieldClass {
  Effect effect = Effect::none;
  std::vector<std::string> stages;  // that a change invalidates, in the order of the study
};

/// Classes of fields by prefix: "search" speaks for search and all below it, unless
/// "search.trials" says otherwise. A field that no prefix covers invalidates every stage.
class FieldClasses {
 public:
  FieldClasses(std::map<std::string, FieldClass> by_prefix,
               std::vector<std::string> all_stages);
  FieldClass of(const std::string& field) const;

 private:
  std::map<std::string, FieldClass> by_prefix_;
  FieldClass otherwise_;
};

struct Change {
  std::string field;
  std::optional<std::string> before;  // nothing: the field is new
  std::optional<std::string> after;   // nothing: the field is gone
  FieldClass meaning;
};

/// Fields that differ, by path.
std::vector<Change> compare(const Fields& before,
                            const Fields& after,
                            const FieldClasses& classes);

/// The stages that the changes invalidate together, in the order of `all_stages`.
std::vector<std::string> invalidated_stages(const std::vector<Change>& changes,
                                            const std::vector<std::string>& all_stages);

/// Throws core::ConfigurationError with one sentence if a change invalidates something: what
/// was and is, which stages, and what to do.
void require_accepted(const std::vector<Change>& changes,
                      const std::vector<std::string>& all_stages,
                      bool accepted);

/// The same for the frozen numerics: bits are promised only while these stay. Throws
/// core::ConfigurationError unless equal or accepted; returns the changed fields.
std::vector<Change> require_same_numerics(const Fields& frozen,
                                          const Fields& present,
                                          bool accepted);

}  // namespace proxytune::study
