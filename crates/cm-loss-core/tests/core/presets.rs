//! Presets are data with the names of the literature.

use cm_loss_core::{HeadConfig, Preset};

#[test]
fn names_are_read_without_regard_to_capitals_and_printed_as_in_the_literature() {
    for preset in Preset::ALL {
        assert_eq!(preset.to_string().to_lowercase().parse(), Ok(preset));
    }
    let error = "CM-ArcFacee".parse::<Preset>().unwrap_err().to_string();
    assert!(error.contains("\"CM-ArcFacee\"") && error.contains("L2-Softmax, CM-Softmax"), "{error}");
}

#[test]
fn presets_have_the_parameters_of_their_papers() {
    let config = format!("{:?}", Preset::CmCosFace.config());
    assert!(config.contains("SigmoidContraction { scale: 30.0 }"), "{config}");
    assert!(config.contains("CosineMargin { margin: 0.4 }"), "{config}");
    assert_eq!(Preset::Softmax.config(), HeadConfig::Linear);
}
