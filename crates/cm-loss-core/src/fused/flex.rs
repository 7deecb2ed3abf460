//! The operation on flex, by the arithmetic of [`cpu`].

use burn::{
    backend::{
        Flex, TensorMetadata,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::TensorData,
};
use burn_flex::FlexTensor;

use super::{
    cpu::{self, Centers, Samples, Upstream},
    extension::{Chosen, Inputs, ManyClasses, Others, Plan},
};

/// The numbers of a tensor, one after another.
fn numbers(tensor: FlexTensor) -> FlexTensor {
    if tensor.is_contiguous() { tensor } else { tensor.to_contiguous() }
}

fn floats(tensor: &FlexTensor) -> &[f32] {
    let Some(floats) = tensor.as_slice::<f32>() else {
        panic!("a contiguous tensor of 32-bit floats has its numbers one after another")
    };
    floats
}

fn indices(tensor: &FlexTensor) -> Vec<usize> {
    tensor.clone().into_data().iter::<i64>().map(|index| index as usize).collect()
}

fn tensor<const D: usize>(numbers: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(numbers, shape))
}

/// The inputs where the arithmetic finds them.
struct OnHost {
    u: FlexTensor,
    w: FlexTensor,
    radii: FlexTensor,
    bent: Option<(FlexTensor, f32)>,
    targets: Vec<usize>,
    chosen: Option<Vec<usize>>,
    plan: Plan,
}

impl OnHost {
    fn new(inputs: Inputs<Flex>) -> Self {
        Self {
            u: numbers(inputs.u),
            w: numbers(inputs.w),
            radii: numbers(inputs.radii),
            bent: match inputs.others {
                Others::Straight => None,
                Others::Bent { beyond, curriculum } => {
                    Some((numbers(beyond), floats(&numbers(curriculum))[0]))
                }
            },
            targets: indices(&inputs.targets),
            chosen: match inputs.chosen {
                Chosen::All => None,
                Chosen::These { classes } => Some(indices(&classes)),
            },
            plan: inputs.plan,
        }
    }

    fn samples(&self) -> Samples<'_> {
        let bent = self.bent.as_ref().map(|(beyond, curriculum)| (floats(beyond), *curriculum));
        let bent = bent.map(|(beyond, curriculum)| (beyond, self.plan.curve, curriculum));
        Samples::new(floats(&self.u), self.u.shape()[1], floats(&self.radii), &self.targets, bent)
    }

    fn centers(&self) -> Centers<'_> {
        let (numbers, dim) = (floats(&self.w), self.w.shape()[1]);
        Centers { numbers, dim, each: self.plan.each, classes: self.chosen.as_deref() }
    }
}

impl ManyClasses for Flex {
    fn over_classes(inputs: Inputs<Self>) -> (FloatTensor<Self>, IntTensor<Self>) {
        let ints = inputs.targets.dtype();
        let inputs = OnHost::new(inputs);
        let samples = inputs.samples();
        let sums = cpu::sums(&samples, &inputs.centers(), &inputs.plan);
        let count = samples.count;
        let columns = (0..count)
            .flat_map(|i| [sums.log_sum(i), sums.target[i], sums.cosines[i], sums.largest[i]])
            .collect();
        let best: Vec<i64> = sums.best_class[..count].iter().map(|&class| i64::from(class)).collect();
        let best = TensorData::new(best, [count]).convert_dtype(ints);
        (tensor(columns, [count, 4]), FlexTensor::from_data(best))
    }

    fn over_classes_gradients(
        inputs: Inputs<Self>,
        log_sum: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let inputs = OnHost::new(inputs);
        let (log_sum, dy) = (numbers(log_sum), numbers(dy));
        let samples = inputs.samples();
        let column = |k: usize| samples.filled(floats(&dy).iter().skip(k).step_by(4).copied());
        let upstream = Upstream {
            log_sum: column(0),
            target: column(1),
            cosines: column(2),
            total: samples.filled(floats(&log_sum).iter().copied()),
        };
        let found = cpu::gradients(&samples, &inputs.centers(), &inputs.plan, &upstream);
        let (count, dim) = (samples.count, samples.dim);
        let rows = inputs.w.shape()[0];
        (
            tensor(found.units, [count, dim]),
            tensor(found.centers, [rows, dim]),
            tensor(found.radii, [count, 1]),
        )
    }
}
