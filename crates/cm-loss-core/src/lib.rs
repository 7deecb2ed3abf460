//! Norm-aware softmax losses for [Burn](https://burn.dev): features go in, a loss comes out, and the length of
//! a feature tells how good its image was.
//!
//! Every loss here is one formula with three exchangeable parts. For a feature `x_i` with norm `r_i = ‖x_i‖`,
//! class `y_i` and the angle `θ_ij` between the feature and the center of class `j`:
//!
//! ```text
//! z_ij = phi(r_i) · t(cos θ_ij, [j = y_i], r_i)        L_i = −log softmax(z_i)[y_i] + g(r_i)
//! ```
//!
//! | part | what it is | where |
//! |---|---|---|
//! | `phi` | the norm map: feature norm to radius (scale) of the logits | [`norm_map`] |
//! | `t` | the margin: changes the target's cosine while training | [`margin`] |
//! | `g` | a regularizer of the norm | [`regularizer`] |
//!
//! [`MarginHead`] owns the class centers and puts the parts together; [`LinearHead`] is the plain linear softmax
//! layer to compare with. A [`Preset`] is a loss of the literature by its name:
//!
//! | preset | `phi(r)` | `t` on the target | source |
//! |---|---|---|---|
//! | [`Preset::Softmax`] | linear layer with bias | | |
//! | [`Preset::NormFace`] | `s` | `cos θ` | Wang et al. 2017 |
//! | [`Preset::L2Softmax`] | `s` | `cos θ` | Ranjan et al. 2017 |
//! | [`Preset::Ring`] | `r` | `cos θ`, `g = (λ/2)(r − R)²` | Zheng et al. 2018 |
//! | [`Preset::CmSoftmax`] | `s · sigmoid(r)` | `cos θ` | Liu et al. 2024 |
//! | [`Preset::SphereFace`] | `s` | `ψ(θ)` | Liu et al. 2017 |
//! | [`Preset::SphereFace2`] | `s` | `g(cos θ) − m`, one class against all others | Wen et al. 2022 |
//! | [`Preset::CosFace`] | `s` | `cos θ − m` | Wang et al. 2018 |
//! | [`Preset::CmCosFace`] | `s · sigmoid(r)` | `cos θ − m` | Liu et al. 2024 |
//! | [`Preset::ArcFace`] | `s` | `cos(θ + m)` | Deng et al. 2019 |
//! | [`Preset::CmArcFace`] | `s · sigmoid(r)` | `cos(θ + m)` | the mapping in ArcFace |
//! | [`Preset::Combined`] | `s` | `cos(m1 θ + m2) − m3` | Deng et al. 2019 |
//! | [`Preset::SubCenterArcFace`] | `s` | `cos(θ + m)`, three centers a class | Deng et al. 2020 |
//! | [`Preset::MagFace`] | `s` | `cos(θ + m(r))`, `g = λ(a/u² + 1/a)` | Meng et al. 2021 |
//! | [`Preset::AdaFace`] | `s` | `cos(θ − m ẑ) − (m + m ẑ)` | Kim et al. 2022 |
//! | [`Preset::CmAdaFace`] | `s · sigmoid(r)` | `cos(θ − m ẑ) − (m + m ẑ)` | the mapping in AdaFace |
//! | [`Preset::CurricularFace`] | `s` | `cos(θ + m)`, hard negatives reweighted | Huang et al. 2020 |
//! | [`Preset::ElasticFaceArc`], [`Preset::ElasticFaceArcPlus`] | `s` | `cos(θ + m)`, `m` random | Boutros et al. 2022 |
//! | [`Preset::ElasticFaceCos`], [`Preset::ElasticFaceCosPlus`] | `s` | `cos θ − m`, `m` random | Boutros et al. 2022 |
//! | [`Preset::QcFace`] | `s` | `cos(θ + m)`, `g(r, p)` by the certainty `p` | WACV 2026 |
//! | [`Preset::FunFace`] | `s` | AdaFace's with `ẑ` of norm and certainty ratio | FG 2026 |
//! | [`Preset::UniTsFace`] | `s` | `cos θ − m`, one class against all others | Li et al. 2023 |
//! | [`Preset::X2Softmax`] | `s` | `a θ² + k` | Xu et al. 2024 |
//! | [`Preset::CircleLoss`] | `γ` | `[1 + m − cos θ]₊ (cos θ − (1 − m))` | Sun et al. 2020 |
//! | [`Preset::SoftTriple`] | `s` | `cos θ − m`, ten centers a class | Qian et al. 2019 |
//! | [`Preset::ProxyAnchor`], [`Preset::P2SGrad`] | | losses on the cosines, no softmax | Kim et al. 2020, Zhang et al. 2019 |
//! | [`Preset::CalibratedCmSoftmax`] and its like | `(s/2)(1 + sigmoid((r − μ)/τ))` | as the CM loss | ours |
//!
//! ```
//! use burn::tensor::{Device, Distribution, Int, Tensor};
//! use cm_loss_core::Preset;
//!
//! let device = Device::flex().autodiff();
//! let head = Preset::CmCosFace.config().init(64, 10, &device)?;
//! let features = Tensor::<2>::random([8, 64], Distribution::Default, &device).require_grad();
//! let targets = Tensor::<1, Int>::from_data([3, 1, 4, 1, 5, 9, 2, 6], &device);
//!
//! let output = head.forward(features.clone(), targets);
//! let gradients = output.mean_loss().backward();
//! assert_eq!(features.grad(&gradients).expect("features require gradients").dims(), [8, 64]);
//! # Ok::<(), cm_loss_core::Error>(())
//! ```
//!
//! Where logits are not needed, [`Head::loss`] gives losses and predictions, and with many classes never makes the matrix of
//! logits: see [`LossPath`]. For that name the backend by a Cargo feature of this crate, `flex`, `ndarray`, `wgpu`, `webgpu`,
//! `vulkan`, `metal`, `cuda` or `rocm`; on another backend the loss is the same, by way of the matrix.
//!
//! The method is that of W. Liu, X. Liu, H. Li, C. Lin, "Contraction mapping of feature norms for data quality
//! imbalance learning", Pattern Recognition Letters 185 (2024) 232–238.

mod all_classes;
mod backend;
mod custom;
mod error;
mod exact;
mod fused;
mod head;
pub mod margin;
mod norm;
pub mod norm_map;
mod norm_statistics;
mod nothing;
mod options;
mod presets;
pub mod regularizer;
pub mod scale;
mod state;
mod steps;
mod targets;

pub use custom::{Custom, CustomMargin, CustomNormMap, Parameters, register_margin, register_norm_map};
pub use error::Error;
pub use fused::LossPath;
pub use head::{
    ClassSampling, ConfigVersion, FirstBias, Head, HeadConfig, HeadOutput, HeadState, LinearHead,
    LinearHeadConfig, LossOutput, MarginHead, MarginHeadConfig, MarginPlace, MarginWarmUp, NormGradient,
    PartialHead, PartialStep, ProxyHead, ProxyHeadConfig, ProxyLoss, RowSgd, SampledLogits, Saturation,
    SphereFace2Config, SphereFace2Head, SubCenterOutliers, SubCenterPooling, TopK, Warning,
};
pub use margin::Margin;
pub use norm::{norm, norm_and_unit};
pub use norm_map::NormMap;
pub use norm_statistics::{NormMoments, NormStatistics};
pub use options::LossOptions;
pub use presets::Preset;
pub use regularizer::Regularizer;
