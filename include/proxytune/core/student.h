#pragma once

namespace proxytune::core {

/// The 97.5 % point of Student's t distribution; NaN below 1 degree of freedom.
double student_975(int degrees_of_freedom);

}  // namespace proxytune::core
