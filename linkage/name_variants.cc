#include <algorithm>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_split.h"
#include "linkage/name_tables.h"

namespace raakvlak::linkage {
namespace {

// One name written in Latin letters in several ways: the spelling that stands for all, then the others. No
// spelling is in two groups. Names of different people in one group are a loss, names of one person in none
// are a smaller one: so a group holds spellings, not translations (Jan and Johannes stay two).
constexpr absl::string_view kGroups[] = {
    // clang-format off
    "abdelaziz: abdelazis abdoelaziz abdulazis abdulaziz",
    "abdelhak: abdelhaq abdulhak abdulhaq",
    "abdelhamid: abdoelhamid abdulhamid abdulhamit",
    "abdelilah: abdelillah abdulilah",
    "abdelkader: abdelkadir abdelqader abdoelkader abdulkader abdulkadir abdulqadir",
    "abdelkarim: abdelkrim abdoelkarim abdulkarim abdulkerim",
    "abdellatif: abdelatif abdoellatif abdullatif",
    "abderrahim: abdelrahim abderahim abdoelrahim abdulrahim abdurrahim",
    "abderrahman: abdelrahman abderahman abderrahmane abdirahman abdoelrahman abdulrahman abdurahman abdurrahman",
    "abdeslam: abdelsalam abdessalam abdoelsalam abdousalam abdulsalam abdusselam",
    "abdullah: abdala abdalla abdallah abdella abdellah abdoella abdoellah abdoulah abdoullah abdulah abdulla",
    "agnieszka: agneszka agnieshka agnieska",
    "ahmed: achmad achmed achmet ahamed ahmad ahmet ehmed",
    "aicha: aischa aisha aishah aisja aychah ayesha aysa ayscha ayse aysha",
    "alaoui: alaui alawi",
    "alexander: aleksandar aleksander aleksandr alexandr",
    "alexandra: aleksandra",
    "ali: alie aly",
    "amina: ameena aminah amine emine",
    "amrani: amrany emrani",
    "anas: anass anes enes",
    "andrzej: andrej andrzei",
    "ayoub: ajoeb ajoub ayoeb ayub ayyoub ayyub eyup",
    "azzouzi: azoezi azouzi azzoezi azzuzi",
    "bakkali: bakali bekkali",
    "bilal: belal bilaal bilel billal",
    "bouazza: boeazza bouaza buazza",
    "bouzid: boezid buzid",
    "carolien: caroline karolien karoline",
    "catharina: catarina katarina katerina katharina katherina",
    "celik: chelik tjelik tsjelik",
    "chantal: shantal sjantal",
    "chaoui: chawi shaoui",
    "christiaan: christian kristiaan kristian",
    "christina: cristina kristina",
    "dmitri: dimitri dmitrij dmitriy dmitry dymitri",
    "driss: dris",
    "elisabeth: elisabet elizabet elizabeth",
    "erik: eric erick",
    "ester: esther hester",
    "fatiha: fateha fathia fatiah fethiye",
    "fatima: faatima fadma fatema fatimah fatma",
    "haddou: haddu hadou",
    "hakim: hakeem hakiem",
    "hamdaoui: hamdaui hamdawi",
    "hamid: hameed hamied hamit",
    "hamza: hamsa hamzah hamzeh",
    "hanane: hanaan hanan",
    "hassan: hasan hasen hassane",
    "hicham: hichem hisham hisjam",
    "houda: hoeda huda",
    "hussein: hoesein hoessein hosein hossein houcine houssain houssein husain husayn husein huseyin hussain hussayn",
    "ibrahim: brahim ebrahim ibraheem ibrahiem ibrahima",
    "idris: idrees idriss idriz",
    "idrissi: idrisi idrisy",
    "ilyas: elias elyas elyes ilias iliass iljas illias ilyaas ilyass ilyes",
    "imane: imaan iman imen",
    "ismail: esmail ismaeel ismael ismaiel smail",
    "jaafar: cafer djafar djaffar jafar jaffar",
    "jacob: jakob",
    "jalal: celal djalal jelal",
    "jamal: cemal djamaal djamal djemal gamal jamaal jemal",
    "jamila: cemile djamila djamilla djemila jamilah jamilla",
    "jeffrey: geoffrey jefferey jeffry",
    "jerzy: jerzi",
    "judith: judit",
    "karim: kareem karem kariem kerim",
    "karima: kareema kariema kerime",
    "kevin: keven kevyn",
    "khadija: chadidja chadija chadisja gadija hadija kadidja kadija khadidja khadidjah khadijah khadisja",
    "khalid: chaled chalid galid halid khaled khalied",
    "kilic: kilich kilitsj",
    "krzysztof: kristof krzystof krzysztov",
    "latifa: lateefa latiefa latifah latife",
    "leila: laila layla leyla",
    "loubna: loebna lubna",
    "mahmoud: machmoud machmud mahmod mahmud mahmut mehmoud",
    "malgorzata: malgosata malgozata",
    "malika: maleka melika",
    "mansouri: mansoeri mansuri",
    "mark: marc marck",
    "martijn: martein martyn",
    "maryam: mariam mariem mariyam maryem meriam meriem meryam meryem",
    "mehmet: mehmed memet",
    "michael: maikel maykel mickael mikael mikail",
    "mikolaj: mikolai",
    "mohamed: mohamad mohamet mohammad mohammed mohammet mohamud mohd mohemmed mohmed mouhamed muhamad muhamed muhammad muhammed muhammet",
    "mouna: moena mona muna",
    "mourad: moerad moerat morad mourat murad murat",
    "moussaoui: moesaoui mousaoui moussawi musaoui",
    "mustafa: moestafa moestapha mostafa mostapha moustafa moustapha mustaffa mustapha",
    "nadia: nadja nadya",
    "naima: naema naiema nayma neima",
    "nguyen: nguijen ngyen",
    "nicolaas: niclaas niklaas nikolaas",
    "noura: noera nora norah nourah nura",
    "noureddine: noerdin nordin nordine nourdin nourdine noureddin nouredine nourredine nureddin nuredin nurettin",
    "omar: oemar omer oumar oumer umar umer",
    "osman: oesman othman othmane ottman ousman ousmane usman uthman",
    "ouali: oeali wali",
    "ozdemir: oezdemir",
    "ozturk: oezturk oztuerk",
    "pawel: pavel",
    "philip: filip philippe phillip",
    "piotr: pjotr",
    "rachid: rached rachied rasheed rashid rashied rasjid",
    "rachida: rasheeda rashida rasjida",
    "sahin: chahin sahien schahin shahin sjahin",
    "said: saeed saeid saied saiid sayed sayid seyid",
    "saidi: saaidi saidy",
    "salah: salaah saleh salih",
    "salma: salmah selma",
    "samira: sameera samiera samirah",
    "sergei: serge sergej sergey",
    "sharifa: charifa cherifa sherifa sjarifa",
    "souad: soead suad",
    "soufian: soefian soefjan sofian sofiane sofyan soufiane soufyan sufian sufyan",
    "soumaya: soemaya soumia soumiya soumya sumaya sumayya sumeya sumeyye",
    "stanislaw: stanislav",
    "stefan: stefaan steffan stephan stephane",
    "steven: stephen stevan",
    "suleyman: slimane soeleiman soeleyman soleiman soulaiman souleiman souleyman souleymane sulaiman sulayman suleiman sulejman suleman",
    "tarik: tareck tareek tarek tareq tarick tariq",
    "wladyslaw: vladyslav wladislaw",
    "wojciech: vojciech wojcieh",
    "yahya: jahja jahya yahia yahiya yahja yehia yehya",
    "yakub: jakoeb yacoub yacub yakoub yaqoob yaqoub yaqub",
    "yasmin: jasmin jasmine yasemin yasmien yasmine",
    "yasmina: jasmina yassmina",
    "yassin: jasin jassin jassine yacine yaseen yasin yasine yassine",
    "yelena: elena helena jelena",
    "yildirim: jildirim",
    "yildiz: jildiz",
    "yilmaz: jilmaz",
    "yousfi: joesfi yousoufi yousufi",
    "yulia: iulia julia julija yuliya",
    "yunus: joenoes jounes yonas younes younis younus yunes yunis",
    "yusuf: joesef joesoef jousef jusuf yoesoef youcef yousef yousif yousouf youssef youssouf yousuf yusef yussuf",
    "zakaria: sakaria zacharia zakariae zakariya zakariyya zakarya zekeriya",
    "zineb: zainab zaineb zaynab zeinab zeineb zeynep",
    "zofia: sofia sofija sophia zophia",
    "zohra: zahra zehra zoehra zuhra",
    // clang-format on
};

std::vector<WordPair> MakePairs() {
  std::vector<WordPair> pairs;
  for (const absl::string_view group : kGroups) {
    const std::pair<absl::string_view, absl::string_view> halves = absl::StrSplit(group, ": ");
    for (const absl::string_view spelling : absl::StrSplit(halves.second, ' ')) {
      pairs.push_back({spelling, halves.first});
    }
  }
  std::sort(pairs.begin(), pairs.end(),
            [](const WordPair& left, const WordPair& right) { return left.from < right.from; });
  return pairs;
}

}  // namespace

absl::Span<const WordPair> NameVariants() {
  static const std::vector<WordPair>* const pairs = new std::vector<WordPair>(MakePairs());
  return *pairs;
}

absl::string_view CanonicalVariant(absl::string_view name) {
  using Map = absl::flat_hash_map<absl::string_view, absl::string_view>;
  static const Map* const variants = [] {
    auto* map = new Map();
    for (const WordPair& pair : NameVariants()) map->emplace(pair.from, pair.to);
    return map;
  }();
  const auto found = variants->find(name);
  return found == variants->end() ? name : found->second;
}

}  // namespace raakvlak::linkage
