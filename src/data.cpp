// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The compiled form of data/.
#include <faultline/data/detail/assets_impl.hpp>
#include <faultline/data/detail/classifier_file_impl.hpp>
#include <faultline/data/detail/corrupted_images_impl.hpp>
#include <faultline/data/detail/corruptions_impl.hpp>
#include <faultline/data/detail/idx_impl.hpp>
#include <faultline/data/detail/image_folder_impl.hpp>
#include <faultline/data/detail/image_scores_impl.hpp>
#include <faultline/data/detail/labelled_images_impl.hpp>
#include <faultline/data/detail/mnist_impl.hpp>
#include <faultline/data/detail/png_impl.hpp>
#include <faultline/data/detail/safetensors_impl.hpp>
#include <faultline/data/detail/score_table_impl.hpp>
#include <faultline/data/detail/strict_json_impl.hpp>
