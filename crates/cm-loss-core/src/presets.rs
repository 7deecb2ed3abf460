//! The losses of the literature by name.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    Error, FirstBias, HeadConfig, LinearHeadConfig, Margin, MarginHeadConfig, NormMap, ProxyHeadConfig,
    ProxyLoss, Regularizer, SphereFace2Config, SubCenterPooling,
    margin::{
        AdaFaceMargin, AngularMargin, AngularOverflow, CircleMargin, CombinedMargin, CosineMargin,
        CurricularMargin, ElasticMargin, FunFaceMargin, MagFaceMargin, MarginForm, MarginGradient,
        MultiplicativeMargin, QuadraticMargin,
    },
    norm_map::{CalibratedSigmoid, Constant, SigmoidContraction},
    regularizer::{MagFaceNorm, QcFaceNorm, Ring},
};

/// Declares the presets once: variant, name and documentation.
macro_rules! presets {
    ($($(#[$documentation:meta])* $variant:ident = $name:literal,)*) => {
        /// A loss of the literature, with its usual parameters.
        ///
        /// `r` is the feature norm, `θ_j` the angle with the center of class `j`, `y` the target, `σ` in formulas the
        /// sigmoid. Classes of which nothing is said have `cos θ_j` in place of the target's term.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        #[non_exhaustive]
        pub enum Preset {
            $($(#[$documentation])* $variant,)*
        }

        impl Preset {
            /// Every preset, in the order in which tables show them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in the literature.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

presets! {
    /// Linear layer with bias: `z_j = x · w_j + b_j`.
    #[cfg_attr(doc, doc = include_str!("../formulas/Softmax.html"))]
    Softmax = "Softmax",
    /// `z_j = s cos θ_j`, `s = 20`. F. Wang, X. Xiang, J. Cheng, A. Yuille, "NormFace", ACM Multimedia 2017,
    /// arXiv 1704.06369, which learns `s`; fixed here.
    #[cfg_attr(doc, doc = include_str!("../formulas/NormFace.html"))]
    NormFace = "NormFace",
    /// `z_j = s cos θ_j`, `s = 30`. R. Ranjan, C. Castillo, R. Chellappa 2017, arXiv 1703.09507.
    #[cfg_attr(doc, doc = include_str!("../formulas/L2-Softmax.html"))]
    L2Softmax = "L2-Softmax",
    /// `z_j = r cos θ_j`, `g = (λ/2) (r − R)²` with a learned `R` from 20 and `λ = 0.01`. Y. Zheng, D. Pal, M. Savvides,
    /// "Ring loss", CVPR 2018, arXiv 1803.00130.
    #[cfg_attr(doc, doc = include_str!("../formulas/Ring.html"))]
    Ring = "Ring",
    /// The method: `z_j = s sigmoid(r) cos θ_j`, `s = 30`; "CM-M-Softmax" in its authors' code. W. Liu, X. Liu, H. Li,
    /// C. Lin, Pattern Recognition Letters 185 (2024) 232–238.
    #[cfg_attr(doc, doc = include_str!("../formulas/CM-Softmax.html"))]
    CmSoftmax = "CM-Softmax",
    /// `z_y = s ψ(θ_y)`, `s = 30`, `m = 1.7`. W. Liu et al., CVPR 2017, arXiv 1704.08063, with the values of OpenSphere.
    #[cfg_attr(doc, doc = include_str!("../formulas/SphereFace.html"))]
    SphereFace = "SphereFace",
    /// One-vs-all: `z_j = s (g(cos θ_j) ∓ m) + b`, binary cross entropy of each; `s = 40`, `m = 0.4`, `t = 3`, `α = 0.7`.
    /// Y. Wen et al., ICLR 2022, arXiv 2108.01513.
    #[cfg_attr(doc, doc = include_str!("../formulas/SphereFace2.html"))]
    SphereFace2 = "SphereFace2",
    /// `z_y = s (cos θ_y − m)`, `s = 30`, `m = 0.4`; "Margin & L2-Softmax" in Liu et al. H. Wang et al., CVPR 2018,
    /// arXiv 1801.09414, whose `s` is 64.
    #[cfg_attr(doc, doc = include_str!("../formulas/CosFace.html"))]
    CosFace = "CosFace",
    /// The method: `z_j = s sigmoid(r) (cos θ_j − m [j = y])`, `s = 30`, `m = 0.4`; "Margin & CM-M-Softmax" in its
    /// authors' code. W. Liu et al., Pattern Recognition Letters 185 (2024) 232–238.
    #[cfg_attr(doc, doc = include_str!("../formulas/CM-CosFace.html"))]
    CmCosFace = "CM-CosFace",
    /// `z_y = s cos(θ_y + m)`, `s = 64`, `m = 0.5`, monotone past π. J. Deng et al., CVPR 2019, arXiv 1801.07698.
    #[cfg_attr(doc, doc = include_str!("../formulas/ArcFace.html"))]
    ArcFace = "ArcFace",
    /// The contraction mapping in ArcFace: `z_y = s sigmoid(r) cos(θ_y + m)`, `s = 30`, `m = 0.5`.
    #[cfg_attr(doc, doc = include_str!("../formulas/CM-ArcFace.html"))]
    CmArcFace = "CM-ArcFace",
    /// `z_y = s (cos(m1 θ_y + m2) − m3)`, `s = 64`, `(1, 0.3, 0.2)`. J. Deng et al., CVPR 2019, arXiv 1801.07698.
    #[cfg_attr(doc, doc = include_str!("../formulas/Combined.html"))]
    Combined = "Combined",
    /// ArcFace with three centers a class, `s = 64`, `m = 0.5`. J. Deng et al., "Sub-center ArcFace", ECCV 2020.
    #[cfg_attr(doc, doc = include_str!("../formulas/SubCenterArcFace.html"))]
    SubCenterArcFace = "SubCenterArcFace",
    /// `z_y = s cos(θ_y + m(r))`, `s = 64`, `m` from 0.45 at `r = 10` to 0.8 at 110, `λ = 35`. Q. Meng et al., CVPR 2021,
    /// arXiv 2103.06627.
    #[cfg_attr(doc, doc = include_str!("../formulas/MagFace.html"))]
    MagFace = "MagFace",
    /// `z_y = s (cos(θ_y − m ẑ) − (m + m ẑ))`, `s = 64`, `m = 0.4`, `h = 0.333`. M. Kim, A. Jain, X. Liu, CVPR 2022,
    /// arXiv 2204.00964.
    #[cfg_attr(doc, doc = include_str!("../formulas/AdaFace.html"))]
    AdaFace = "AdaFace",
    /// The contraction mapping in AdaFace: `s sigmoid(r)` in place of `s`, `s = 30`.
    #[cfg_attr(doc, doc = include_str!("../formulas/CM-AdaFace.html"))]
    CmAdaFace = "CM-AdaFace",
    /// ArcFace with reweighted hard negatives, `s = 64`, `m = 0.5`. Y. Huang et al., CVPR 2020, arXiv 2004.00288.
    #[cfg_attr(doc, doc = include_str!("../formulas/CurricularFace.html"))]
    CurricularFace = "CurricularFace",
    /// `z_y = s cos(θ_y + m)`, `s = 64`, `m ~ N(0.5, 0.05²)`. F. Boutros et al., CVPR Workshops 2022, arXiv 2109.09416.
    #[cfg_attr(doc, doc = include_str!("../formulas/ElasticFace-Arc.html"))]
    ElasticFaceArc = "ElasticFace-Arc",
    /// ElasticFace-Arc with sorted margins, `m ~ N(0.5, 0.0175²)`.
    #[cfg_attr(doc, doc = include_str!("../formulas/ElasticFace-Arc+.html"))]
    ElasticFaceArcPlus = "ElasticFace-Arc+",
    /// `z_y = s (cos θ_y − m)`, `s = 64`, `m ~ N(0.35, 0.05²)`. F. Boutros et al., CVPR Workshops 2022, arXiv 2109.09416.
    #[cfg_attr(doc, doc = include_str!("../formulas/ElasticFace-Cos.html"))]
    ElasticFaceCos = "ElasticFace-Cos",
    /// ElasticFace-Cos with sorted margins, `m ~ N(0.35, 0.02²)`.
    #[cfg_attr(doc, doc = include_str!("../formulas/ElasticFace-Cos+.html"))]
    ElasticFaceCosPlus = "ElasticFace-Cos+",
    /// ArcFace at a fixed scale for the direction, and the norm by a regularizer alone: `s = 64`, `m = 0.5`, easy margin,
    /// `l = 1`, `u = 100`, `λ = 20`. WACV 2026, hpcc-hcmut/QCFace; see [`QcFaceNorm`].
    #[cfg_attr(doc, doc = include_str!("../formulas/QCFace.html"))]
    QcFace = "QCFace",
    /// AdaFace with a tenth of `ẑ` from the certainty ratio: `s = 64`, `m = 0.4`, `h = 0.333`, `a = 0.1`. FG 2026,
    /// LSIbabnikz/FunFace; see [`FunFaceMargin`].
    #[cfg_attr(doc, doc = include_str!("../formulas/FunFace.html"))]
    FunFace = "FunFace",
    /// One-vs-all with one bias, `L = softplus(−z_y) + Σ softplus(z_j)`: `z_y = s (cos θ_y − m) + b`, `z_j = s cos θ_j + b`,
    /// `s = 64`, `m = 0.4`: the unified cross entropy of Q. Li et al., NeurIPS 2023, arXiv 2311.02523.
    #[cfg_attr(doc, doc = include_str!("../formulas/UniTSFace.html"))]
    UniTsFace = "UniTSFace",
    /// `z_y = s (a (θ_y − h)² + k)`, `s = 64`, `a = −0.9`, `h = 0`, `k = 0.65`, with the gradient of its authors' code, the
    /// detached one. J. Xu et al. 2024, arXiv 2312.05281.
    #[cfg_attr(doc, doc = include_str!("../formulas/X2-Softmax.html"))]
    X2Softmax = "X2-Softmax",
    /// The classification form of circle loss: `γ = 256`, `m = 0.25`. Y. Sun et al., CVPR 2020, arXiv 2002.10857; see
    /// [`CircleMargin`].
    #[cfg_attr(doc, doc = include_str!("../formulas/CircleLoss.html"))]
    CircleLoss = "CircleLoss",
    /// CosFace with ten centers a class and their soft maximum: `s = 20`, `m = 0.01`, `γ = 0.1`. Q. Qian et al., ICCV 2019,
    /// arXiv 1909.05235, without its regularizer of the centers.
    #[cfg_attr(doc, doc = include_str!("../formulas/SoftTriple.html"))]
    SoftTriple = "SoftTriple",
    /// A proxy a class that pulls at its samples and pushes at the others: `δ = 0.1`, `α = 32`. S. Kim et al., CVPR 2020,
    /// arXiv 2003.13911; see [`ProxyLoss::ProxyAnchor`].
    #[cfg_attr(doc, doc = include_str!("../formulas/ProxyAnchor.html"))]
    ProxyAnchor = "ProxyAnchor",
    /// `L = (1/C) Σ_j (cos θ_j − [j = y])²`. X. Zhang et al., CVPR 2019, arXiv 1905.02479.
    #[cfg_attr(doc, doc = include_str!("../formulas/P2SGrad.html"))]
    P2SGrad = "P2SGrad",
    /// CM-Softmax with our calibrated sigmoid, `(s/2) (1 + sigmoid((r − μ) / τ))`, `s = 30`.
    #[cfg_attr(doc, doc = include_str!("../formulas/Calibrated-CM-Softmax.html"))]
    CalibratedCmSoftmax = "Calibrated-CM-Softmax",
    /// CM-CosFace with our calibrated sigmoid.
    #[cfg_attr(doc, doc = include_str!("../formulas/Calibrated-CM-CosFace.html"))]
    CalibratedCmCosFace = "Calibrated-CM-CosFace",
    /// CM-ArcFace with our calibrated sigmoid.
    #[cfg_attr(doc, doc = include_str!("../formulas/Calibrated-CM-ArcFace.html"))]
    CalibratedCmArcFace = "Calibrated-CM-ArcFace",
    /// CM-AdaFace with our calibrated sigmoid.
    #[cfg_attr(doc, doc = include_str!("../formulas/Calibrated-CM-AdaFace.html"))]
    CalibratedCmAdaFace = "Calibrated-CM-AdaFace",
}

impl Preset {
    /// The names of all presets, separated by commas.
    pub fn names() -> String {
        Self::ALL.iter().map(|preset| preset.name()).collect::<Vec<_>>().join(", ")
    }

    /// The head that this loss is.
    pub fn config(self) -> HeadConfig {
        HeadConfig::Margin(match self {
            Self::Softmax => return HeadConfig::Linear(LinearHeadConfig::default()),
            Self::SphereFace2 => return HeadConfig::SphereFace2(SphereFace2Config::default()),
            Self::NormFace => MarginHeadConfig::new(constant(20.0), Margin::None),
            Self::L2Softmax => MarginHeadConfig::new(constant(30.0), Margin::None),
            Self::Ring => MarginHeadConfig::new(NormMap::Identity, Margin::None)
                .with_regularizer(Regularizer::Ring(Ring::default())),
            Self::CmSoftmax => MarginHeadConfig::new(sigmoid(), Margin::None),
            Self::SphereFace => {
                MarginHeadConfig::new(constant(30.0), Margin::Multiplicative(MultiplicativeMargin::default()))
            }
            Self::CosFace => MarginHeadConfig::new(constant(30.0), cosine()),
            Self::CmCosFace => MarginHeadConfig::new(sigmoid(), cosine()),
            Self::ArcFace => MarginHeadConfig::new(constant(64.0), angular()),
            Self::CmArcFace => MarginHeadConfig::new(sigmoid(), angular()),
            Self::Combined => {
                MarginHeadConfig::new(constant(64.0), Margin::Combined(CombinedMargin::default()))
            }
            Self::SubCenterArcFace => MarginHeadConfig::new(constant(64.0), angular()).with_sub_centers(3),
            Self::MagFace => MarginHeadConfig::new(constant(64.0), Margin::MagFace(MagFaceMargin::default()))
                .with_regularizer(Regularizer::MagFace(MagFaceNorm::default())),
            Self::AdaFace => MarginHeadConfig::new(constant(64.0), adaface()),
            Self::CmAdaFace => MarginHeadConfig::new(sigmoid(), adaface()),
            Self::CurricularFace => {
                MarginHeadConfig::new(constant(64.0), Margin::Curricular(CurricularMargin::default()))
            }
            Self::ElasticFaceArc => elastic(ElasticMargin::default()),
            Self::ElasticFaceArcPlus => {
                elastic(ElasticMargin { deviation: 0.0175, sorted: true, ..ElasticMargin::default() })
            }
            Self::ElasticFaceCos => {
                elastic(ElasticMargin { mean: 0.35, form: MarginForm::Cosine, ..ElasticMargin::default() })
            }
            Self::ElasticFaceCosPlus => elastic(ElasticMargin {
                mean: 0.35,
                deviation: 0.02,
                form: MarginForm::Cosine,
                sorted: true,
                ..ElasticMargin::default()
            }),
            Self::QcFace => {
                let margin = AngularMargin { overflow: AngularOverflow::Easy, ..AngularMargin::default() };
                MarginHeadConfig::new(constant(64.0), Margin::Angular(margin))
                    .with_regularizer(Regularizer::QcFace(QcFaceNorm::default()))
            }
            Self::FunFace => MarginHeadConfig::new(constant(64.0), Margin::FunFace(FunFaceMargin::default())),
            Self::UniTsFace => {
                return HeadConfig::SphereFace2(SphereFace2Config {
                    norm_map: constant(64.0),
                    margin: 0.4,
                    margin_of_others: Some(0.0),
                    exponent: 1.0,
                    balance: 0.5,
                    weight: 2.0,
                    first_bias: FirstBias::LogClasses,
                    ..SphereFace2Config::default()
                });
            }
            Self::X2Softmax => {
                MarginHeadConfig::new(constant(64.0), Margin::Quadratic(QuadraticMargin::default()))
                    .with_margin_gradient(MarginGradient::Detached)
            }
            Self::CircleLoss => {
                MarginHeadConfig::new(constant(256.0), Margin::Circle(CircleMargin::default()))
            }
            Self::SoftTriple => {
                MarginHeadConfig::new(constant(20.0), Margin::Cosine(CosineMargin { margin: 0.01 }))
                    .with_sub_centers(10)
                    .with_sub_center_pooling(SubCenterPooling::Soft { gamma: 0.1 })
            }
            Self::ProxyAnchor => return HeadConfig::Proxy(ProxyHeadConfig::default()),
            Self::P2SGrad => return HeadConfig::Proxy(ProxyHeadConfig::new(ProxyLoss::P2SGrad)),
            Self::CalibratedCmSoftmax => MarginHeadConfig::new(calibrated(), Margin::None),
            Self::CalibratedCmCosFace => MarginHeadConfig::new(calibrated(), cosine()),
            Self::CalibratedCmArcFace => MarginHeadConfig::new(calibrated(), angular()),
            Self::CalibratedCmAdaFace => MarginHeadConfig::new(calibrated(), adaface()),
        })
    }
}

fn constant(scale: f64) -> NormMap {
    NormMap::Constant(Constant { scale })
}

fn sigmoid() -> NormMap {
    NormMap::Sigmoid(SigmoidContraction::default())
}

fn calibrated() -> NormMap {
    NormMap::CalibratedSigmoid(CalibratedSigmoid::default())
}

fn cosine() -> Margin {
    Margin::Cosine(CosineMargin::default())
}

fn angular() -> Margin {
    Margin::Angular(AngularMargin::default())
}

fn adaface() -> Margin {
    Margin::AdaFace(AdaFaceMargin::default())
}

fn elastic(margin: ElasticMargin) -> MarginHeadConfig {
    MarginHeadConfig::new(constant(64.0), Margin::Elastic(margin))
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl From<Preset> for String {
    fn from(preset: Preset) -> Self {
        preset.name().to_owned()
    }
}

impl TryFrom<String> for Preset {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        name.parse()
    }
}

impl FromStr for Preset {
    type Err = Error;

    /// Reads a name, without regard to capitals.
    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.iter().find(|preset| preset.name().eq_ignore_ascii_case(name.trim()));
        found.copied().ok_or_else(|| Error::UnknownPreset { name: name.to_owned() })
    }
}
