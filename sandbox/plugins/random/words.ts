/** Words for pet names. */
export const adverbs = (
  "boldly brightly calmly clearly deeply early easily fairly finely firmly freely gently gladly happily highly jointly " +
  "kindly lightly mainly mostly nearly neatly openly partly plainly promptly proudly purely quickly quietly rarely " +
  "readily really rightly safely simply slowly smoothly softly solely steadily swiftly truly warmly wholly wisely"
).split(" ");

export const adjectives = (
  "able active amber apt awake balanced bold brave bright calm careful clean clear clever cosmic crisp curious daring " +
  "eager early easy equal fair fast fine firm fleet fond frank free fresh gentle glad golden good grand great happy " +
  "honest humble keen kind large lasting light lively loyal lucid lucky mellow merry mild mighty modest neat new noble " +
  "open patient plain polite precise prime proper proud pure quick quiet rapid ready regal right robust round sharp " +
  "shiny simple smart smooth social solid sound stable steady still strong sunny sure sweet swift tidy top true " +
  "trusty upright valid vast vital warm wise witty young"
).split(" ");

export const animals = (
  "adder albatross ant antelope badger bass bat bear beaver bee bison boar buck buffalo camel caribou cat cheetah cobra " +
  "cod collie condor coral cow crab crane cricket crow deer dingo dodo dog dolphin donkey dove duck eagle eel elk emu " +
  "falcon ferret finch fish flea fly fowl fox frog gazelle gecko gibbon giraffe goat goose gopher goshawk grouse gull " +
  "hare hawk hen heron herring horse hound hyena ibex iguana impala insect jackal jaguar jay kangaroo kid kite kiwi " +
  "koala koi lark lemming lemur leopard lion lizard llama lobster lynx macaw mackerel magpie mallard mammoth marlin " +
  "marmot marten mole mongoose monkey moose moth mule mustang newt octopus orca oryx osprey ostrich otter owl ox " +
  "oyster panda panther parrot pelican penguin perch pheasant pig pigeon pika pony puma quail rabbit raccoon ram raven " +
  "ray robin rooster salmon sawfish seal shark sheep shrew skink skunk sloth snail snake snipe sparrow spider sponge " +
  "squid stag starling stork stud swan swift tapir tern terrier tetra tick tiger toad tortoise trout tuna turkey " +
  "turtle viper vulture wallaby walrus wasp weasel whale wolf wombat woodcock worm yak zebra"
).split(" ");
