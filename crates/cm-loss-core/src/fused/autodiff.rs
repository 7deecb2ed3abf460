//! The operation on the graph.

use burn::{
    backend::{
        Backend,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::Slice,
};
use burn_autodiff::{
    Autodiff,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};

use super::extension::{Chosen, Inputs, ManyClasses, Others};

impl<B: Backend + ManyClasses, C: CheckpointStrategy> ManyClasses for Autodiff<B, C> {
    fn over_classes(inputs: Inputs<Self>) -> (FloatTensor<Self>, IntTensor<Self>) {
        #[derive(Debug)]
        struct OverClasses;

        impl<B: Backend + ManyClasses> Backward<B, 3> for OverClasses {
            type State = (Inputs<B>, FloatTensor<B>);

            fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
                let (inputs, log_sum) = ops.state;
                let dy = grads.consume::<B>(&ops.node);
                let (by_u, by_w, by_radii) = B::over_classes_gradients(inputs, log_sum, dy);
                for (node, gradient) in ops.parents.into_iter().zip([by_u, by_w, by_radii]) {
                    if let Some(node) = node {
                        grads.register::<B>(node.id, gradient);
                    }
                }
            }
        }

        let Inputs { u, w, radii, targets, others, chosen, plan } = inputs;
        let nodes = [u.node(), w.node(), radii.node()];
        let [u, w, radii] = [u, w, radii].map(|tensor| tensor.into_primitive());
        let others = match others {
            Others::Straight => Others::Straight,
            Others::Bent { beyond, curriculum } => {
                Others::Bent { beyond: beyond.into_primitive(), curriculum: curriculum.into_primitive() }
            }
        };
        let chosen = match chosen {
            Chosen::All => Chosen::All,
            Chosen::These { classes } => Chosen::These { classes },
        };
        let inputs = Inputs::<B> { u, w, radii, targets, others, chosen, plan };
        match OverClasses.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let inputs = Inputs { plan: inputs.plan.keeping(), ..inputs };
                let (columns, best) = B::over_classes(inputs.clone());
                let log_sum = B::float_slice(columns.clone(), &[Slice::full(), Slice::from(0..1)]);
                (prepared.finish((inputs, log_sum), columns), best)
            }
            OpsKind::UnTracked(prepared) => {
                let (columns, best) = B::over_classes(inputs);
                (prepared.finish(columns), best)
            }
        }
    }
}
