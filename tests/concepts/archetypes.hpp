// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The library's archetypes, by short names.

#include <faultline/testing/archetypes.hpp>

namespace archetype {

using Pinned = faultline::testing::PinnedArchetype;
using Classifier = faultline::testing::ClassifierArchetype;
using Criterion = faultline::testing::CriterionArchetype;
using Generator = faultline::testing::GeneratorArchetype;

}  // namespace archetype
