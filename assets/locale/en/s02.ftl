### S02 Your seal.

s02-title = Choose your picture and words
s02-use = You will press and hold this picture to sign and pay. No page can know it
s02-draw = Draw one for me
s02-again = Draw another
s02-words = Two words
s02-first = First word
s02-second = Second word
s02-other = Other words
s02-colour = Frame colour
s02-try = Try it
s02-hold = Hold your picture
s02-tried = That is how you confirm everything here
s02-untried = Hold your picture once first
s02-cannot = I cannot hold it
s02-typed = Type your first word here
s02-err-words = Use two different words of 2 to 24 letters
s02-picture = Your picture

hue-red = Red
hue-orange = Orange
hue-gold = Gold
hue-olive = Olive
hue-green = Green
hue-pine = Pine
hue-teal = Teal
hue-sky = Sky
hue-blue = Blue
hue-violet = Violet
hue-purple = Purple
hue-pink = Pink
